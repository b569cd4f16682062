import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.records.record import SCHEMA, Record
from bench.records.store import append_line, append_lines, read_records, read_results
from bench.trust.verdict import Verdict
from models import UserError

EXAMPLE = Path(__file__).parents[3] / "docs" / "example" / "cpu.jsonl"
FIRST_SCHEMA = Path(__file__).parents[2] / "data" / "records_schema_1.jsonl"


def test_a_record_comes_back_as_it_was(tmp_path, record):
    append_line(tmp_path / "fake.jsonl", record)
    assert read_records(tmp_path / "fake.jsonl") == [record]


def test_merging_what_two_machines_measured_is_cat(tmp_path, record):
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    append_line(one, record)
    append_line(two, msgspec.structs.replace(record, sweep="other"))
    (tmp_path / "both").mkdir()
    (tmp_path / "both" / "all.jsonl").write_bytes(one.read_bytes() + two.read_bytes())
    assert [found.sweep for found in read_results(tmp_path / "both")] == [record.sweep, "other"]


def test_a_torn_last_line_is_reported_and_passed_over_and_the_next_record_is_whole(tmp_path, record, capsys):
    path = tmp_path / "fake.jsonl"
    append_line(path, record)
    path.write_bytes(path.read_bytes() + path.read_bytes()[:100])
    append_line(path, record)
    assert read_records(path) == [record, record]
    assert f"{path}:2" in capsys.readouterr().err


@given(st.binary(max_size=200))
def test_any_damage_is_passed_over_or_one_clear_error(tmp_path_factory, damage):
    path = tmp_path_factory.mktemp("damage") / "fake.jsonl"
    path.write_bytes(damage)
    try:
        assert read_records(path) == []
    except UserError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("extra", [{}, {"model": "of another shape"}])
def test_a_newer_schema_is_refused_by_name(tmp_path, record, extra):
    path = tmp_path / "fake.jsonl"
    path.write_bytes(json.dumps(msgspec.to_builtins(record) | {"schema": SCHEMA + 1} | extra).encode())
    with pytest.raises(UserError, match=f"schema {SCHEMA + 1}, this one reads up to {SCHEMA}; update the suite"):
        read_records(path)


def test_fields_that_a_later_version_adds_are_ignored(tmp_path, record):
    path = tmp_path / "fake.jsonl"
    path.write_bytes(json.dumps(msgspec.to_builtins(record) | {"added_later": 1}).encode())
    assert read_records(path) == [record]


def test_no_file_is_no_records(tmp_path):
    assert read_records(tmp_path / "absent.jsonl") == []
    assert read_results(tmp_path / "absent") == []


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """The folder for what its own file doesn't take."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's full disk")
def test_on_a_full_disk_the_record_is_saved_elsewhere(tmp_path, record, elsewhere):
    (tmp_path / "fake.jsonl").symlink_to("/dev/full")
    with pytest.raises(UserError, match="No space left on device") as caught:
        append_line(tmp_path / "fake.jsonl", record)
    (rescued,) = elsewhere.iterdir()
    assert f"append {rescued} to it" in str(caught.value)
    assert msgspec.json.decode(rescued.read_bytes(), type=Record) == record


def test_where_no_other_folder_takes_it_either_the_record_is_shown(tmp_path, record, monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bench.records.store.append_bytes", full)
    monkeypatch.setattr("tempfile.NamedTemporaryFile", full)
    with pytest.raises(UserError, match="append the line above to it"):
        append_line(tmp_path / "fake.jsonl", record)
    assert msgspec.json.decode(capsys.readouterr().err, type=Record) == record


def test_a_write_that_fails_halfway_leaves_the_file_as_it_was(tmp_path, record, monkeypatch, elsewhere):
    path = tmp_path / "fake.jsonl"
    append_line(path, record)
    before = path.read_bytes()
    write = __import__("os").write
    monkeypatch.setattr("bench.records.store.os.write", lambda file, line: write(file, line[: len(line) // 2]))
    with pytest.raises(UserError, match="can't write"):
        append_line(path, record)
    assert path.read_bytes() == before


def test_a_verdict_that_another_version_gave_is_given_again_with_the_number(tmp_path):
    (example, *_) = read_records(EXAMPLE)
    path = tmp_path / "cpu.jsonl"
    path.write_bytes(
        msgspec.json.encode(msgspec.structs.replace(example, verdict=Verdict(word="noisy", detail="±99 %"))) + b"\n"
    )
    assert [record.verdict for record in read_records(path)] == [example.verdict]
    assert example.verdict.word != "noisy"


def test_a_record_of_the_first_schema_keeps_its_verdict():
    first = FIRST_SCHEMA.read_bytes().splitlines()[0]
    assert read_records(FIRST_SCHEMA)[0].verdict.word == msgspec.json.decode(first)["verdict"]["word"]


def test_records_that_are_written_together_are_lines_of_their_own_however_many_fsyncs_it_takes(
    tmp_path, record, monkeypatch
):
    records = [msgspec.structs.replace(record, sweep=f"{number}") for number in range(5)]
    line_bytes = len(msgspec.json.encode(records[0]))
    for at_once_bytes in (1, 2 * line_bytes, 100 * line_bytes):
        monkeypatch.setattr("bench.records.store._AT_ONCE_BYTES", at_once_bytes)
        path = tmp_path / f"{at_once_bytes}.jsonl"
        append_lines(path, records)
        assert read_records(path) == records


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's full disk")
def test_on_a_full_disk_all_records_that_were_written_together_are_saved_elsewhere(tmp_path, record, elsewhere):
    (tmp_path / "fake.jsonl").symlink_to("/dev/full")
    with pytest.raises(UserError, match="No space left on device"):
        append_lines(tmp_path / "fake.jsonl", [record] * 3)
    (rescued,) = elsewhere.iterdir()
    assert read_records(rescued) == [record] * 3
