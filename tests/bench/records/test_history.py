"""What a sweep learns from earlier ones: those of the same epoch, target and file alone, and the last ten of them."""

import math
from pathlib import Path

import msgspec
import pytest

from bench.records.history import history
from bench.records.record import Record
from bench.records.store import append_line
from bench.trust.exponents import Information
from tests.bench.made_up import measured, visits_of

EPOCH = "one"
INFORMATION = Information(precision=((2.0, 0.0), (0.0, 3.0)), weighted=(1.0, 2.0))


@pytest.fixture
def of(record):
    """A record of a sweep, as if it had taken so many seconds in an epoch."""

    def make(sweep: str, seconds: float = 0.1, *, epoch: str = EPOCH, **changes) -> Record:
        visits = visits_of([seconds * (1 + 0.01 * (-1) ** at) for at in range(8)])
        measurement = measured(visits, epoch=epoch, information=INFORMATION)
        return msgspec.structs.replace(record, sweep=sweep, measurement=measurement, **changes)

    return make


def write(folder: Path, *records: Record) -> Path:
    for record in records:
        append_line(folder / "fake.jsonl", record)
    return folder / "fake.jsonl"


def medians(file: Path, record: Record, *, epoch: str = EPOCH, but: str = "", sha256: str | None = None) -> list[float]:
    """What each earlier sweep says of the record's network, in seconds to two digits."""
    name, files = record.model.name, {record.model.name: sha256 or record.artifact.sha256}
    found = history(file, record.target, epoch, but=but).of(files, epoch=epoch, reference_s={})
    return [round(math.exp(told[name].log), 2) for told in found.told if name in told]


def test_no_file_is_no_history(tmp_path, record):
    assert medians(tmp_path / "absent.jsonl", record) == []


def test_it_is_what_each_sweep_said_of_each_network(tmp_path, of, record):
    file = write(tmp_path, of("a", 0.1), of("b", 0.2))
    found = history(file, record.target, EPOCH, but="").of(
        {record.model.name: record.artifact.sha256, "another": "x"}, epoch=EPOCH, reference_s={"compute": 0.008}
    )
    assert found.epoch == EPOCH
    assert found.reference_s == {"compute": 0.008}
    assert found.information == {record.model.name: [INFORMATION] * 2, "another": []}
    assert medians(file, record) == [0.1, 0.2]
    alone = of("a", 0.1).measurement.alone
    assert found.told[0][record.model.name].log_error == alone.log_error


def test_the_sweep_that_learns_is_no_part_of_it(tmp_path, of, record):
    file = write(tmp_path, of("a", 0.1), of("b", 0.2))
    assert medians(file, record, but="b") == [0.1]


def test_another_epoch_is_none_of_it(tmp_path, of, record):
    file = write(tmp_path, of("a", 0.1), of("b", 0.2, epoch="two"))
    assert medians(file, record) == [0.1]
    assert medians(file, record, epoch="two") == [0.2]


def test_another_file_or_target_is_none_of_it(tmp_path, of, record):
    other_file = msgspec.structs.replace(record.artifact, sha256="0" * 64)
    other_target = msgspec.structs.replace(record.target, options={"threads": 1})
    file = write(tmp_path, of("a", 0.1), of("b", 0.2, artifact=other_file), of("c", 0.3, target=other_target))
    assert medians(file, record) == [0.1]
    assert medians(file, record, sha256="0" * 64) == [0.2]


def test_records_of_the_first_schema_are_none_of_it(tmp_path, of, record):
    first = msgspec.structs.replace(record.measurement, basis=None)
    file = write(tmp_path, msgspec.structs.replace(record, schema=1, measurement=first), of("a", 0.1))
    assert medians(file, record) == [0.1]
    assert medians(file, record, epoch="") == []


def test_records_without_a_number_are_none_of_it(tmp_path, of, record):
    file = write(tmp_path, msgspec.structs.replace(of("a"), measurement=None, verdict=None, reason="no"), of("b", 0.2))
    assert medians(file, record) == [0.2]


def test_at_most_ten_sweeps_count_the_last_ones(tmp_path, of, record):
    file = write(tmp_path, *[of(f"sweep {number}", 0.01 * number) for number in range(1, 15)])
    assert medians(file, record) == [round(0.01 * number, 2) for number in range(5, 15)]


def test_sweeps_of_other_options_take_no_place_of_the_ten(tmp_path, of, record):
    other = msgspec.structs.replace(record.target, options={"threads": 1})
    file = write(tmp_path, of("a", 0.1), *[of(f"sweep {number}", 0.2, target=other) for number in range(12)])
    assert medians(file, record) == [0.1]


def test_lines_that_can_not_be_read_are_passed_over_silently(tmp_path, of, record, capsys):
    file = write(tmp_path, of("a", 0.1))
    whole = file.read_bytes()
    damaged = whole.replace(b'"rounds":[{', b'"rounds":[7,{').replace(b'"sweep":"a"', b'"sweep":"z"')
    torn = whole[: len(whole) // 2]
    file.write_bytes(b"\xff\xfe\n" + damaged + torn + b"\n[]\n{}\n" + whole + torn)
    assert medians(file, record) == [0.1]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("seconds", [0.0, -0.1])
def test_a_record_of_times_that_no_clock_gives_says_nothing_but_is_no_error(tmp_path, of, record, seconds):
    from bench.trust.run_to_run import run_to_run

    file = write(tmp_path, of("a", seconds), of("b", seconds))
    files = {record.model.name: record.artifact.sha256}
    found = history(file, record.target, EPOCH, but="").of(files, epoch=EPOCH, reference_s={})
    assert run_to_run(found.told[:-1], found.told[-1]) is None


def test_an_empty_measurement_is_passed_over(tmp_path, of, record):
    empty = of("z")
    empty = msgspec.structs.replace(empty, measurement=msgspec.structs.replace(empty.measurement, visits=[]))
    assert medians(write(tmp_path, empty, of("a", 0.1)), record) == [0.1]


def test_sweeps_of_a_heat_soaked_device_and_of_others_are_not_mixed(tmp_path, of, record):
    soaked = of("b", 0.2, protocol=msgspec.structs.replace(record.protocol, sustained=True))
    file = write(tmp_path, of("a", 0.1), soaked)
    files = {record.model.name: record.artifact.sha256}
    for sustained, sweeps in ((False, [0.1]), (True, [0.2])):
        found = history(file, record.target, EPOCH, but="", sustained=sustained)
        told = found.of(files, epoch=EPOCH, reference_s={}).told
        assert [round(math.exp(each[record.model.name].log), 2) for each in told] == sweeps
