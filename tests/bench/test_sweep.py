import dataclasses
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter

import msgspec
import pytest

from bench import room, station, stations
from bench.measure import visit
from bench.records.journal import Journal, Visited
from bench.records.store import read_records
from bench.sweep import sweep
from devices.runtimes import fake
from devices.samples import THROTTLED, WAITED
from devices.worker import SessionLost
from models import UserError, find
from models.groups import DEFAULT
from tests.bench.cut_short import cut_short

ALL = [model.name for model in find(DEFAULT)]


def names(records) -> list[str]:
    return [record.model.name for record in records]


def test_every_network_gets_exactly_the_seconds_of_the_table(order):
    records = sweep(order())
    assert names(records) == ALL
    table = {record.model.name: record.measurement.estimate.number_s for record in records}
    assert table["EfficientNet-B6"] == 0.429
    assert table["zennet_imagenet1k_flops400M_SE_res224"] == 0.010
    assert all(record.verdict.word == "stable" for record in records)
    assert names(read_records(order().results / "fake.jsonl")) == ALL
    assert not (order().results / "fake.journal").exists()


def test_passes_visit_every_network_once_in_an_order_that_the_seed_decides(order):
    def orders(seed: int) -> list[list[str]]:
        records = sweep(order(seed=seed))
        visits = sorted((part.at_s, record.model.name) for record in records for part in record.measurement.visits)
        found = [name for _, name in visits]
        return [found[start : start + len(ALL)] for start in range(0, len(found), len(ALL))]

    visits = orders(seed=7)
    assert all(sorted(names) == sorted(ALL) for names in visits)
    assert len({tuple(names) for names in visits}) > 1
    assert visits == orders(seed=7) != orders(seed=8)


def test_a_steady_network_stops_early_and_an_unsteady_one_uses_the_budget(order):
    unsteady = [0.01 * 1.1**step for step in range(40)]
    records = sweep(order("*t-B3", "*t-B5", options={"seconds": {"*t-B3": 0.01, "*t-B5": unsteady}}, max_visits=50))
    visits = {record.model.name: len(record.measurement.visits) for record in records}
    assert visits == {"EfficientNet-B3": 6, "EfficientNet-B5": 50}


def test_the_budget_ends_it_but_every_network_has_a_number(order):
    records = sweep(order(options={"seconds": {"*": [0.1, 0.2, 0.4]}}, budget_s=1.0))
    assert all(record.measurement for record in records)
    assert {record.verdict.word for record in records} == {"too few samples"}


def test_with_a_budget_for_nothing_every_network_is_visited_once(order):
    records = sweep(order(budget_s=1e-6))
    assert [len(record.measurement.visits) for record in records] == [1] * len(ALL)
    assert {record.verdict.word for record in records} == {"too few samples"}
    assert {record.measurement.estimate.low_s for record in records} == {None}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_fewer_visits_than_an_interval_needs_are_never_stable(order, count):
    records = sweep(order("*t-B3", min_visits=1, max_visits=count))
    assert [len(record.measurement.visits) for record in records] == [count]
    assert [record.verdict.word for record in records] == ["too few samples"]
    assert [len(record.measurement.visits) for record in sweep(order("*t-B3", min_visits=1))] == [4]


def test_no_visit_begins_once_the_budget_is_spent(order):
    records = sweep(order(budget_s=20.0, interval=1e-9, min_visits=20))
    visits = sorted(part.at_s for record in records for part in record.measurement.visits)
    assert visits[-1] < 20.0


@pytest.fixture
def waiting(monkeypatch):
    """Makes a device wait 100 s before each inference that it is asked for, as a hot phone does; `reason` in vain."""
    run = fake.FakeSession.run

    def make(reason=None):
        def wait_and_run(self, count):
            self._device.now_s += 100.0
            table = {WAITED: 100.0} | ({THROTTLED: reason} if reason else {})
            return msgspec.structs.replace(run(self, count), conditions=[table])

        monkeypatch.setattr(fake.FakeSession, "run", wait_and_run)
        monkeypatch.setattr(fake.FakeSession, "aggregates", True)

    return make


def test_waiting_for_a_device_to_cool_is_no_sampling_time(order, waiting):
    waiting()
    records = sweep(order("*t-B3", "*t-B5", budget_s=20.0))
    assert {record.verdict.word for record in records} == {"stable"}
    assert max(visit.end_s for record in records for visit in record.measurement.visits) < 20.0


def test_waiting_in_vain_is_and_ends_a_sweep(order, waiting):
    waiting("began at 41.0 °C, above 40 °C")
    records = sweep(order("*t-B3", "*t-B5", budget_s=20.0))
    assert [len(record.measurement.visits) for record in records] == [1, 1]


@pytest.mark.parametrize("elsewhere", [True, False])
def test_networks_that_lie_elsewhere_stay_open_whatever_memory_this_machine_has(order, monkeypatch, elsewhere):
    opening = []
    runtime = dataclasses.replace(
        fake.RUNTIME,
        elsewhere=elsewhere,
        open_session=lambda *asked: opening.append(asked) or fake.open_session(*asked),
    )
    monkeypatch.setattr(fake, "RUNTIME", runtime)
    monkeypatch.setattr(room, "available_bytes", lambda: 0)
    sweep(order("*t-B3", "*t-B5", max_visits=6))
    assert (len(opening) == 2) == elsewhere


def test_early_stopping_changes_no_number(order):
    """Visits until the interval is narrow, and as many as there may be."""
    chance = random.Random(1)
    options = {"seconds": {"*": [0.01 * chance.gauss(1, 0.02) for _ in range(4999)]}}
    early, late = (sweep(order("*t-B3", "*t-B5", options=options, interval=at)) for at in (0.5, 1e-9))
    for one, other in zip(early, late, strict=True):
        assert len(one.measurement.visits) < len(other.measurement.visits) / 4
        assert one.measurement.estimate.number_s == pytest.approx(other.measurement.estimate.number_s, rel=5e-3)
        assert one.measurement.estimate.half_width > other.measurement.estimate.half_width
        assert one.verdict.word == other.verdict.word == "stable"


def test_a_network_that_fails_is_a_record_with_its_reason_and_the_others_go_on(order):
    options = {"seconds": {"*": 0.01}, "fail": {"*t-B5": "out of memory"}}
    records = sweep(order("*t-B3", "*t-B5", "*t-B6", options=options))
    assert [record.measurement is None for record in records] == [False, True, False]
    assert "out of memory" in records[1].reason
    assert records[1].verdict is None


def test_an_export_that_fails_is_a_record_too(order):
    records = sweep(order("*t-B3", "timm:no_such_network"))
    assert records[0].measurement
    # The fake format builds nothing, so it is ONNX that would find out; see test_command.
    assert records[1].model.family == "custom"


def test_a_network_whose_process_is_lost_keeps_what_was_measured_of_it_and_the_reason(order, monkeypatch):
    run = fake.FakeSession.run
    calls = Counter()

    def mortal(self, count):
        calls[id(self)] += 1
        if calls[id(self)] > 12 and next(iter(calls)) == id(self):
            raise SessionLost("killed, most likely out of memory")
        return run(self, count)

    monkeypatch.setattr(fake.FakeSession, "run", mortal)
    lost, other = sweep(order("*t-B3", "*t-B5"))
    assert lost.reason == "killed, most likely out of memory"
    assert 0 < len(lost.measurement.visits) < 6
    assert lost.verdict.word == "too few samples"
    assert (other.reason, other.verdict.word) == (None, "stable")


def test_until_three_sweeps_exist_an_interval_is_of_this_sweep_alone(order):
    options = {"seconds": {"*": [0.0100, 0.0101, 0.0099, 0.0100, 0.0102]}}
    estimates, verdicts = [], []
    for _ in range(4):
        (record,) = sweep(order("*t-B3", options=options))
        estimates.append(record.measurement.estimate)
        verdicts.append(record.verdict)
    assert [found.within_sweep for found in estimates] == [True, True, False, False]
    assert ["within this sweep" in verdict.detail for verdict in verdicts] == [True, True, False, False]
    assert {verdict.word for verdict in verdicts} == {"stable"}


def test_a_sweep_of_other_options_is_no_repetition(order):
    for seconds in (0.010, 0.011, 0.012):
        (record,) = sweep(order("*t-B3", options={"seconds": {"*": seconds}}))
    assert record.measurement.estimate.within_sweep


def test_a_sweep_of_other_networks_is_no_repetition(order):
    for name in ("*t-B3", "*t-B5", "*t-B6"):
        (record,) = sweep(order(name))
    assert record.measurement.estimate.within_sweep


def test_how_much_of_the_time_went_into_inferences_is_said_and_recorded(order, capsys):
    records = sweep(order("*t-B3", "*t-B5"))
    assert "100% of" in (err := capsys.readouterr().err)
    assert re.search(r"s went into inferences; loading and warming up took [1-9] s beside them\n$", err)
    assert [record.measurement.basis.sampling_share for record in records] == pytest.approx([1.0, 1.0])


def interrupt_after(monkeypatch, visits: int) -> None:
    count = 0

    def counting(*arguments):
        nonlocal count
        count += 1
        if count > visits:
            raise KeyboardInterrupt
        return visit(*arguments)

    monkeypatch.setattr(station, "visit", counting)


@pytest.mark.parametrize("visits", [0, 1, 11, 30, 71])
def test_an_interrupted_sweep_goes_on_without_measuring_a_visit_twice(order, monkeypatch, visits):
    interrupt_after(monkeypatch, visits)
    with pytest.raises(KeyboardInterrupt):
        sweep(order())
    monkeypatch.setattr(station, "visit", visit)
    # Records are written when the sweep ends; until then the journal keeps the visits.
    assert read_records(order().results / "fake.jsonl") == []
    kept = [entry.visit for entry in Journal(order().results, "fake").entries() if isinstance(entry, Visited)]
    assert len(kept) == visits

    records = sweep(order(resume=True))

    assert len({record.sweep for record in records}) == 1
    assert [len(record.measurement.visits) for record in records] == [6] * len(ALL)
    on_disk = Counter(names(read_records(order().results / "fake.jsonl")))
    assert on_disk == Counter(ALL)
    every = [part for record in records for part in record.measurement.visits]
    assert all(part in every for part in kept)
    assert len({part.at_s for part in every}) == len(every)


@pytest.mark.parametrize("written", [0, 1, 5, 11])
def test_a_sweep_that_ends_while_its_records_are_written_writes_the_others_when_it_goes_on(order, monkeypatch, written):
    with cut_short(written):
        sweep(order())
    kept = read_records(order().results / "fake.jsonl")
    assert len(kept) == written
    interrupt_after(monkeypatch, 0)  # no visit is needed

    records = sweep(order(resume=True))

    assert [len(record.measurement.visits) for record in records] == [6] * len(ALL)
    on_disk = read_records(order().results / "fake.jsonl")
    assert on_disk[:written] == kept
    assert Counter(names(on_disk)) == Counter(ALL)
    assert not (order().results / "fake.journal").exists()


def test_going_on_with_fewer_networks_keeps_what_was_measured_of_the_others(order, monkeypatch):
    interrupt_after(monkeypatch, 30)
    with pytest.raises(KeyboardInterrupt):
        sweep(order())
    monkeypatch.setattr(station, "visit", visit)
    assert names(sweep(order("*t-B3", resume=True))) == ["EfficientNet-B3"]
    on_disk = read_records(order().results / "fake.jsonl")
    assert Counter(names(on_disk)) == Counter(ALL)
    assert sum(len(record.measurement.visits) for record in on_disk if record.model.name != "EfficientNet-B3") >= 27


def test_resuming_a_finished_sweep_measures_nothing(order, monkeypatch):
    first = sweep(order())
    interrupt_after(monkeypatch, 0)
    assert sweep(order(resume=True)) == first


def test_resuming_with_more_networks_measures_those(order):
    first = sweep(order("*t-B3"))
    both = sweep(order("*t-B3", "*t-B5", resume=True))
    assert both[0] == first[0]
    assert both[1].sweep == both[0].sweep


def test_resuming_with_nothing_there_begins(order):
    assert len(sweep(order(resume=True))) == len(ALL)


def test_a_new_sweep_keeps_what_an_interrupted_one_measured(order, monkeypatch):
    interrupt_after(monkeypatch, 15)
    with pytest.raises(KeyboardInterrupt):
        sweep(order())
    monkeypatch.setattr(station, "visit", visit)
    sweep(order())
    records = read_records(order().results / "fake.jsonl")
    leftovers = [record for record in records if record.sweep == records[0].sweep]
    assert sum(len(record.measurement.visits) for record in leftovers) == 15
    assert {record.verdict.word for record in leftovers} == {"too few samples"}
    assert len(records) == len(leftovers) + len(ALL)


def test_resuming_under_another_protocol_is_refused(order, monkeypatch):
    sweep(order("*t-B3"))
    with pytest.raises(UserError, match=r"protocol visit_s was 0\.3, now 0\.5"):
        sweep(order("*t-B3", resume=True, visit_s=0.5))


@pytest.mark.parametrize("key", ["cpu", "kernel", "versions"])
def test_resuming_on_another_machine_is_refused(order, monkeypatch, key):
    sweep(order("*t-B3"))
    here = stations.machine()
    monkeypatch.setattr(stations, "machine", lambda: msgspec.structs.replace(here, **{key: "another"}))
    with pytest.raises(UserError, match=f"machine {key} was .*, now 'another'"):
        sweep(order("*t-B3", "*t-B5", resume=True))


@pytest.mark.parametrize("resume", [False, True])
def test_a_journal_whose_sweep_can_not_be_read_is_put_aside_and_kept(order, monkeypatch, capsys, resume):
    interrupt_after(monkeypatch, 15)
    with pytest.raises(KeyboardInterrupt):
        sweep(order())
    monkeypatch.setattr(station, "visit", visit)
    journal = order().results / "fake.journal"
    damaged = b"{" + journal.read_bytes()
    journal.write_bytes(damaged)
    records = sweep(order(resume=resume))
    assert [len(record.measurement.visits) for record in records] == [6] * len(ALL)
    (kept,) = order().results.glob("fake.journal-*")
    assert kept.read_bytes() == damaged
    assert f"kept as {kept}" in capsys.readouterr().err


def test_a_journal_of_the_first_schema_is_gone_on_with(order, monkeypatch):
    interrupt_after(monkeypatch, 15)
    with pytest.raises(KeyboardInterrupt):
        sweep(order())
    monkeypatch.setattr(station, "visit", visit)
    journal = order().results / "fake.journal"
    first, *rest = journal.read_text().splitlines()
    started = {key: value for key, value in json.loads(first).items() if key != "epoch"}
    journal.write_text("\n".join([json.dumps(started), *rest]) + "\n")
    records = sweep(order(resume=True))
    assert [len(record.measurement.visits) for record in records] == [6] * len(ALL)
    assert {record.measurement.basis.epoch for record in records} == {""}


def test_resuming_with_another_file_measures_anew_and_keeps_what_was_measured(order, monkeypatch, capsys):
    interrupt_after(monkeypatch, 3)
    with pytest.raises(KeyboardInterrupt):
        sweep(order("*t-B3"))
    monkeypatch.setattr(station, "visit", visit)
    journal = order().results / "fake.journal"
    recorded = journal.read_text()
    sha256 = recorded.split('"sha256":"')[1][:64]
    journal.write_text(recorded.replace(sha256, "0" * 64))
    (record,) = sweep(order("*t-B3", resume=True))
    assert (record.artifact.sha256, len(record.measurement.visits), record.reason) == (sha256, 6, None)
    assert "another file of EfficientNet-B3: its visits so far (3)" in capsys.readouterr().err
    before, after = read_records(order().results / "fake.jsonl")
    assert after == record
    assert (before.sweep, before.artifact.sha256) == (record.sweep, "0" * 64)
    assert len(before.measurement.visits) == 3
    assert f"another file instead, sha256 {sha256[:12]}" in before.reason
    assert not journal.exists()
    interrupt_after(monkeypatch, 0)
    assert sweep(order("*t-B3", resume=True)) == [record]


def test_two_sweeps_never_write_one_file(order):
    from filelock import FileLock

    order().results.mkdir()
    with FileLock(order().results / "fake.lock"), pytest.raises(UserError, match="another process writes"):
        sweep(order())


def test_a_sweep_that_is_killed_loses_and_doubles_nothing(order, artifacts):
    """SIGKILL at random moments, then --resume, until one run gets through."""
    results = order().results
    command = [sys.executable, "-m", "bench", "fake", "--results", str(results), "--artifacts", str(artifacts)]
    command += ["--min-visits", "60", "--budget", "10000", "--resume"]
    random_moment = random.Random(5)
    kept: list[str] = []
    for _ in range(8):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random_moment.uniform(0.2, 0.9))
        process.send_signal(signal.SIGKILL)
        process.wait()
        lines = (results / "fake.jsonl").read_text().splitlines() if (results / "fake.jsonl").exists() else []
        assert lines[: len(kept)] == kept
        kept = lines
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    records = read_records(results / "fake.jsonl")
    assert Counter(names(records)) == Counter(ALL)
    assert len({record.sweep for record in records}) == 1
    assert all(len(record.measurement.visits) == 60 for record in records)


def test_ctrl_c_exits_130_and_says_how_to_go_on(tmp_path, artifacts):
    slow = tmp_path / "slow.toml"
    slow.write_text(
        '[slow]\ntitle="Slow"\nruntime="torch_cpu"\nformat="torch"\nprecision="fp32"\nbatch=1\ndevice="CPU"\n'
    )
    command = [sys.executable, "-m", "bench", "slow", "--targets", str(slow), "--model"]
    command += ["zennet:SuperConvK3BNRELU(3,8,2,1)@32", "--interval", "1e-9", "--max-visits", "1000000"]
    command += ["--results", str(tmp_path / "results"), "--artifacts", str(artifacts)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    journal = tmp_path / "results" / "slow.journal"
    while not (journal.exists() and journal.read_text().count("Visited") > 2):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "--resume" in stderr
    assert "Traceback" not in stderr
    assert journal.exists()


def test_a_sustained_sweep_of_a_device_without_a_thermometer_has_no_number_but_the_advice(order):
    (record,) = sweep(order("*t-B3", sustained=True))
    assert record.measurement is None
    assert "leave --sustained out" in record.reason
