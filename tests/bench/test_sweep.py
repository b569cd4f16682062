import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import msgspec
import pytest

from bench import sweep as sweep_module
from bench.measure import visit
from bench.protocol import Protocol
from bench.records.ledger import Ledger
from bench.records.network_run import NetworkRun, network_of
from bench.records.store import read_records
from bench.sweep import sweep
from bench.trust.rejection import Visit
from devices.samples import Samples
from models import UserError, find

PROTOCOL = Protocol()
ALL = [model.name for model in find("*")]


def names(records) -> list[str]:
    return [record.model.name for record in records]


def test_every_network_gets_exactly_the_seconds_of_the_table(order):
    records = sweep(order())
    assert names(records) == ALL
    table = {record.model.name: record.measurement.estimate.median_s for record in records}
    assert table["EfficientNet-B6"] == 0.429
    assert table["zennet_imagenet1k_flops400M_SE_res224"] == 0.010
    assert all(record.verdict.word == "stable" for record in records)
    assert names(read_records(order().results / "fake.jsonl")) != []
    assert not (order().results / "fake.journal").exists()


def test_rounds_visit_every_network_once_in_an_order_that_the_seed_decides(order):
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
    records = sweep(order("*-B3", "*-B5", options={"seconds": {"*B3": 0.01, "*B5": unsteady}}, max_visits=50))
    visits = {record.model.name: len(record.measurement.visits) for record in records}
    assert visits == {"EfficientNet-B3": 6, "EfficientNet-B5": 50}


def test_the_budget_ends_it_but_every_network_has_a_number(order):
    records = sweep(order(options={"seconds": {"*": [0.1, 0.2, 0.4]}}, budget_s=1.0))
    assert all(record.measurement for record in records)
    assert {record.verdict.word for record in records} == {"too few samples"}


def test_a_network_that_fails_is_a_record_with_its_reason_and_the_others_go_on(order):
    options = {"seconds": {"*": 0.01}, "fail": {"*B5": "out of memory"}}
    records = sweep(order("*B3", "*B5", "*B6", options=options))
    assert [record.measurement is None for record in records] == [False, True, False]
    assert "out of memory" in records[1].reason
    assert records[1].verdict is None


def test_an_export_that_fails_is_a_record_too(order):
    records = sweep(order("*B3", "timm:no_such_network"))
    assert records[0].measurement
    # The fake format builds nothing, so it is ONNX that would find out; see test_command.
    assert records[1].model.family == "custom"


def interrupt_after(monkeypatch, visits: int) -> None:
    count = 0

    def counting(*arguments):
        nonlocal count
        count += 1
        if count > visits:
            raise KeyboardInterrupt
        return visit(*arguments)

    monkeypatch.setattr(sweep_module, "visit", counting)


@pytest.mark.parametrize("visits", [0, 1, 11, 30, 71])
def test_an_interrupted_sweep_goes_on_without_measuring_a_visit_twice(order, monkeypatch, visits):
    interrupt_after(monkeypatch, visits)
    with pytest.raises(KeyboardInterrupt):
        sweep(order())
    monkeypatch.setattr(sweep_module, "visit", visit)
    kept = read_records(order().results / "fake.jsonl")

    records = sweep(order(resume=True))

    assert len({record.sweep for record in records}) == 1
    assert [len(record.measurement.visits) for record in records] == [6] * len(ALL)
    on_disk = Counter(names(read_records(order().results / "fake.jsonl")))
    assert on_disk == Counter(ALL)
    assert kept == [record for record in read_records(order().results / "fake.jsonl") if record in kept]


def test_resuming_a_finished_sweep_measures_nothing(order, monkeypatch):
    first = sweep(order())
    interrupt_after(monkeypatch, 0)
    assert sweep(order(resume=True)) == first


def test_resuming_with_more_networks_measures_those(order):
    first = sweep(order("*B3"))
    both = sweep(order("*B3", "*B5", resume=True))
    assert both[0] == first[0]
    assert both[1].sweep == both[0].sweep


def test_resuming_with_nothing_there_begins(order):
    assert len(sweep(order(resume=True))) == len(ALL)


def test_a_new_sweep_keeps_what_an_interrupted_one_measured(order, monkeypatch):
    interrupt_after(monkeypatch, 15)
    with pytest.raises(KeyboardInterrupt):
        sweep(order())
    monkeypatch.setattr(sweep_module, "visit", visit)
    sweep(order())
    records = read_records(order().results / "fake.jsonl")
    leftovers = [record for record in records if record.sweep == records[0].sweep]
    assert sum(len(record.measurement.visits) for record in leftovers) == 15
    assert {record.verdict.word for record in leftovers} == {"too few samples"}
    assert len(records) == len(leftovers) + len(ALL)


def test_resuming_under_another_protocol_is_refused(order, monkeypatch):
    sweep(order("*B3"))
    with pytest.raises(UserError, match=r"protocol visit_s was 0\.2, now 0\.5"):
        sweep(order("*B3", resume=True, visit_s=0.5))


@pytest.mark.parametrize("key", ["cpu", "kernel", "versions"])
def test_resuming_on_another_machine_is_refused(order, monkeypatch, key):
    from bench.records import ledger

    sweep(order("*B3"))
    here = ledger.machine()
    monkeypatch.setattr(ledger, "machine", lambda: msgspec.structs.replace(here, **{key: "another"}))
    with pytest.raises(UserError, match=f"machine {key} was .*, now 'another'"):
        sweep(order("*B3", "*B5", resume=True))


@pytest.mark.parametrize("resume", [False, True])
def test_a_journal_whose_sweep_can_not_be_read_is_put_aside_and_kept(order, monkeypatch, capsys, resume):
    interrupt_after(monkeypatch, 15)
    with pytest.raises(KeyboardInterrupt):
        sweep(order())
    monkeypatch.setattr(sweep_module, "visit", visit)
    journal = order().results / "fake.journal"
    damaged = b"{" + journal.read_bytes()
    journal.write_bytes(damaged)
    records = sweep(order(resume=resume))
    assert [len(record.measurement.visits) for record in records] == [6] * len(ALL)
    (kept,) = order().results.glob("fake.journal-*")
    assert kept.read_bytes() == damaged
    assert f"kept as {kept}" in capsys.readouterr().err


def test_resuming_with_another_file_is_refused(order, monkeypatch):
    interrupt_after(monkeypatch, 3)
    with pytest.raises(KeyboardInterrupt):
        sweep(order("*B3"))
    journal = order().results / "fake.journal"
    recorded = journal.read_text()
    sha256 = recorded.split('"sha256":"')[1][:64]
    journal.write_text(recorded.replace(sha256, "0" * 64))
    with pytest.raises(UserError, match="mix visits of two files of EfficientNet-B3"):
        sweep(order("*B3", resume=True))


def test_two_sweeps_never_write_one_file(order):
    from filelock import FileLock

    order().results.mkdir()
    with FileLock(order().results / "fake.lock"), pytest.raises(UserError, match="another sweep writes"):
        sweep(order())


def test_a_sweep_that_is_killed_loses_nothing_that_was_finished(order, artifacts):
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


def a_cell(name: str, counting: int, disturbed: int = 0, noise: float = 0.0) -> NetworkRun:
    (model,) = find(name)
    waits = [0.0] * counting + [1.0] * disturbed
    seconds = [0.1 * (1 + noise * (-1) ** index) for index in range(len(waits))]
    samples = (
        Samples(seconds=[second], evidence={"wait_s": [wait]}) for second, wait in zip(seconds, waits, strict=True)
    )
    visits = [Visit(at_s=float(at), settle_s=[], samples=found) for at, found in enumerate(samples)]
    return NetworkRun(network_of(model), visits=visits)


def test_beside_a_neighbour_every_network_gets_one_round_that_counts_before_any_gets_two(order):
    ledger = Ledger(order().results, "fake")
    ledger.begin(order().target, PROTOCOL)
    fresh = [a_cell("*B3", 0), a_cell("*B5", 0), a_cell("*B6", 0)]
    assert sweep_module._pass(fresh, ledger, PROTOCOL) == fresh
    unequal = [a_cell("*B3", 0, disturbed=4), a_cell("*B5", 1), a_cell("*B6", 3)]
    assert sweep_module._pass(unequal, ledger, PROTOCOL) == unequal[:2]
    known = [a_cell("*01ms*", 9, noise=0.01), a_cell("*02ms*", 9, noise=0.2), a_cell("*B6", 1)]
    assert sweep_module._pass(known, ledger, PROTOCOL) == [known[2], known[1]]


def test_a_visit_waits_the_longer_the_more_its_network_has_but_not_beyond_the_budget():
    waits = [sweep_module._patience_s(a_cell("*B3", visits), PROTOCOL, left_s=8.0) for visits in range(4)]
    assert waits == [3.0, 6.0, 8.0, 8.0]
    assert sweep_module._patience_s(a_cell("*B3", 5), PROTOCOL, left_s=-1.0) == 3.0


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
