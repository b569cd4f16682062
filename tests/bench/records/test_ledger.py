"""Sweeps of a simulated machine whose clock differs from sweep to sweep: what each leaves behind for the next."""

import math
from statistics import median

import msgspec
import pytest

from bench.protocol import Protocol
from bench.records.epoch import FILE
from bench.records.journal import Opened
from bench.records.ledger import Ledger
from bench.records.store import read_records
from models import UserError
from tests.bench.cut_short import cut_short
from tests.bench.made_up import ThisHost, a_visit
from tests.bench.records.simulated import CPU, NETWORKS, WORKLOADS, an_artifact, numbers


def test_the_first_sweep_s_condition_is_kept_and_later_numbers_refer_to_it(tmp_path, simulate):
    first = simulate(1)
    kept = (tmp_path / FILE).read_bytes()
    slower = simulate(2, slow=0.12)
    assert (tmp_path / FILE).read_bytes() == kept
    reference_s = first[0].measurement.basis.reference_s
    assert reference_s == pytest.approx({"compute": 0.008, "core_to_core": 0.006}, rel=0.15)
    assert all(record.measurement.basis.reference_s == reference_s for record in slower)
    assert len({record.measurement.basis.epoch for record in first + slower}) == 1
    assert all(record.measurement.corrected_by < -0.04 for record in slower)
    assert numbers(slower) == pytest.approx(numbers(first), rel=0.03)
    assert {record.verdict.word for record in slower} == {"corrected"}


def test_exponents_are_known_the_better_the_more_sweeps_there_are(simulate):
    errors = []
    for seed in range(1, 5):
        record = simulate(seed, wander=0.02)[1]
        errors.append(record.measurement.basis.exponents.log_error((0.1, 0.0)))
    assert errors == sorted(errors, reverse=True)
    assert record.measurement.basis.exponents.compute == pytest.approx(0.8, abs=0.15)


def test_run_to_run_is_unknown_before_the_third_sweep(simulate):
    found = [simulate(seed)[0].measurement.basis.run_to_run for seed in range(1, 6)]
    assert found[:2] == [None, None]
    assert [between.sweeps for between in found[2:]] == [3, 4, 5]
    assert all(0 <= between.error < 0.02 for between in found[2:])


def test_a_later_version_can_estimate_a_record_again_from_what_it_holds(tmp_path, simulate):
    records = simulate(1) + simulate(2, slow=0.05)
    again = read_records(tmp_path / "cpu.jsonl")
    assert again == records
    assert numbers(again) == numbers(records)
    assert all(visit.readings for record in again for visit in record.measurement.visits)


def test_without_readings_there_is_no_condition_and_nothing_is_divided_out(tmp_path, simulate):
    records = simulate(1, read=False)
    assert not (tmp_path / FILE).exists()
    for record in records:
        assert record.measurement.basis.exponents is None
        assert record.measurement.corrected_by == 0


def test_other_threads_have_a_condition_of_their_own(tmp_path, simulate, capsys):
    (two, *_), (one, *_) = simulate(1), simulate(2, threads=1)
    assert two.measurement.basis.epoch != one.measurement.basis.epoch
    assert len(msgspec.json.decode((tmp_path / FILE).read_bytes())) == 2
    assert capsys.readouterr().err == ""


def test_a_changed_kernel_begins_a_new_series_and_says_so_once(simulate, capsys):
    simulate(1)
    (record, *_) = simulate(2, slow=0.1, kernel="another")
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.startswith("note: this machine changed (kernel: ")
    assert record.measurement.basis.reference_s["compute"] == pytest.approx(0.008 * math.exp(0.1), rel=0.1)
    assert [simulate(3, kernel="another")[0].measurement.basis.run_to_run] == [None]
    assert capsys.readouterr().err == ""


def test_an_interrupted_sweep_s_condition_is_the_first_when_it_ends(tmp_path, simulate, capsys):
    simulate(1, end=False)
    assert not (tmp_path / FILE).exists()
    ledger = Ledger(tmp_path, "cpu", ThisHost(WORKLOADS))
    started = ledger.resume(msgspec.structs.replace(CPU, options=CPU.options | {"threads": 2}), Protocol())
    ledger.end()
    (known,) = msgspec.json.decode((tmp_path / FILE).read_bytes()).values()
    assert known["sweep"] == started.sweep
    assert len(ledger.records) == len(NETWORKS)
    assert capsys.readouterr().err == ""


def test_going_on_beside_other_reference_workloads_is_refused(tmp_path, simulate):
    simulate(1, end=False)
    others = {name: msgspec.structs.replace(artifact, sha256="0" * 64) for name, artifact in WORKLOADS.items()}
    target = msgspec.structs.replace(CPU, options=CPU.options | {"threads": 2})
    with pytest.raises(UserError, match=r"would mix two measurements .*the reference workloads' files were others"):
        Ledger(tmp_path, "cpu", ThisHost(others)).resume(target, Protocol())


@pytest.mark.parametrize("ended", [False, True])
def test_going_on_that_is_refused_changes_nothing(tmp_path, simulate, ended):
    simulate(1, end=ended)
    files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    target = msgspec.structs.replace(CPU, options=CPU.options | {"threads": 1})
    with pytest.raises(UserError, match=r"would mix two measurements"):
        Ledger(tmp_path, "cpu", ThisHost(WORKLOADS)).resume(target, Protocol())
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == files


def test_the_share_of_the_time_that_went_into_inferences_leaves_readings_out(simulate):
    records = simulate(1)
    share = records[0].measurement.basis.sampling_share
    sampled_s = sum(sum(visit.samples.seconds) for record in records for visit in record.measurement.visits)
    end_s = max(visit.end_s for record in records for visit in record.measurement.visits)
    assert share == pytest.approx(sampled_s / end_s)
    assert 0 < share < 1
    assert median(record.measurement.basis.sampling_share for record in records) == share


@pytest.fixture
def two_files(tmp_path, network_of):
    """A sweep of one network, not ended: three visits of a file, two of another one, and one of the first again."""
    network = network_of("EfficientNet-B3")
    first = an_artifact("EfficientNet-B3")
    other = msgspec.structs.replace(first, sha256="0" * 64)
    ledger = Ledger(tmp_path, "cpu", ThisHost())
    ledger.begin(CPU, Protocol())
    at_s = 0.0
    for artifact, visits in ((first, 3), (other, 2), (first, 1)):
        ledger.opened(Opened(network=network, artifact=artifact, ran_on={}, clock="host", warmup_s=[0.1]))
        for _ in range(visits):
            ledger.visited(ledger.runs["EfficientNet-B3"], a_visit(0.05, at_s=at_s))
            at_s += 1.0
    return ledger


def visits_by_file(tmp_path):
    """Of each record on disk, in their order, when its visits began, and whether it has a reason."""
    records = read_records(tmp_path / "cpu.jsonl")
    return [
        ([visit.at_s for visit in each.measurement.visits], each.artifact.sha256[:1], each.reason is not None)
        for each in records
    ]


APART = [([3.0, 4.0], "0", True), ([0.0, 1.0, 2.0, 5.0], "E", False)]


def test_visits_of_two_files_are_kept_apart_and_those_of_each_together(tmp_path, capsys, two_files):
    assert len(two_files.measurements()["EfficientNet-B3"].visits) == 4
    two_files.end()
    two_files.end()  # writes nothing again
    assert visits_by_file(tmp_path) == APART
    assert two_files.records["EfficientNet-B3"] == read_records(tmp_path / "cpu.jsonl")[-1]
    assert capsys.readouterr().err.count("note: there is another file of EfficientNet-B3") == 2


@pytest.mark.parametrize("written", [None, 0, 1, 2])
@pytest.mark.parametrize("goes_on", ["begin", "resume"])
def test_who_goes_on_after_two_files_loses_and_doubles_no_visit(tmp_path, two_files, written, goes_on):
    """Killed before its records were written, or after so many of them."""
    if written is not None:
        with cut_short(written):
            two_files.end()
    again = Ledger(tmp_path, "cpu", ThisHost())
    getattr(again, goes_on)(CPU, Protocol())
    again.end()
    assert visits_by_file(tmp_path) == APART
    assert not again.journal.path.exists()
