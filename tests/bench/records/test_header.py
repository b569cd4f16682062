import msgspec
import pytest

from bench.records.conditions import Conditions
from bench.records.header import newest_records
from bench.records.store import append_line
from devices.host.conditions import Moment
from models import UserError


@pytest.fixture
def at(record):
    """A record written at an hour, with a number or without."""

    def make(hour: int, *, number: bool = True):
        return msgspec.structs.replace(
            record,
            sweep=f"{hour}",
            conditions=Conditions(end=Moment(time=f"2026-01-01T{hour:02}:00:00Z")),
            measurement=record.measurement if number else None,
        )

    return make


def sweeps(folder):
    return [record.sweep for record in newest_records(folder)]


def test_the_newest_speaks_for_a_cell_in_whatever_order_files_were_merged(tmp_path, at):
    for hour in (3, 5, 4):
        append_line(tmp_path / "fake.jsonl", at(hour))
    append_line(tmp_path / "another.jsonl", at(1))
    assert sweeps(tmp_path) == ["5"]


def test_of_two_records_of_one_second_the_later_line_is_the_newer(tmp_path, at):
    for sweep in ("first", "second"):
        append_line(tmp_path / "fake.jsonl", msgspec.structs.replace(at(1), sweep=sweep))
    assert sweeps(tmp_path) == ["second"]


def test_without_a_number_the_newest_that_has_one_follows(tmp_path, at):
    for hour, number in ((1, True), (2, True), (3, False), (4, False)):
        append_line(tmp_path / "fake.jsonl", at(hour, number=number))
    assert sweeps(tmp_path) == ["4", "2"]


def test_a_damaged_record_gives_way_to_the_one_before(tmp_path, at, capsys):
    path = tmp_path / "fake.jsonl"
    append_line(path, at(1))
    damaged = msgspec.json.encode(at(2)).replace(b'"rounds":[{', b'"rounds":[7,{')
    path.write_bytes(path.read_bytes() + b"\n" + damaged + b"\n" + damaged[:200])
    assert sweeps(tmp_path) == ["1"]
    assert "2 unreadable lines passed over" in capsys.readouterr().err


def test_nan_is_no_json_and_passed_over(tmp_path, at, capsys):
    path = tmp_path / "fake.jsonl"
    path.write_bytes(msgspec.json.encode(at(1)).replace(b'"at_s":', b'"at_s":NaN,"was":', 1) + b"\n")
    assert sweeps(tmp_path) == []
    assert "1 unreadable lines" in capsys.readouterr().err


def test_a_part_of_a_record_may_have_the_name_of_the_raw_times(tmp_path, at):
    """What a glance skips is found by its key, which an option of a target, or a text, may hold as well."""
    for hour, options in ((1, {"a": 1, "measurement": None}), (2, {"note": ',"measurement":null}'})):
        record = at(hour)
        target = msgspec.structs.replace(record.target, options=options)
        append_line(tmp_path / f"{hour}.jsonl", msgspec.structs.replace(record, target=target))
        append_line(tmp_path / f"{hour}.jsonl", msgspec.structs.replace(at(hour + 4, number=False), target=target))
    assert sweeps(tmp_path) == ["6", "2"]


def test_a_newer_schema_is_refused(tmp_path, at):
    append_line(tmp_path / "fake.jsonl", msgspec.structs.replace(at(1), schema=99))
    with pytest.raises(UserError, match="newer version"):
        sweeps(tmp_path)


def test_an_absent_folder_holds_nothing(tmp_path):
    assert sweeps(tmp_path / "absent") == []
