import json
import math
import random
import subprocess
import sys

import msgspec
import pytest

from bench.protocol import Protocol
from bench.records.conditions import Conditions
from bench.records.record import Network, Record
from bench.records.store import append_line
from bench.trust.basis import Basis
from bench.trust.measurement import Measurement
from bench.trust.run_to_run import RunToRun
from bench.trust.verdict import Verdict
from bench.trust.visit import Visit
from devices.host.conditions import Machine, Moment
from devices.samples import Samples
from devices.targets import find_targets
from models import UserError, find
from models.groups import DEFAULT
from reports.compare.compare import TOGETHER, compare
from reports.compare.contexts import differences
from reports.compare.gate import slower
from reports.compare.runs import last_two, run_named

NAMES = [model.name for model in find(DEFAULT)]
# Sweeps of this machine are known to lie no further apart than each says of itself.
BASIS = Basis(lost_share=0.02, run_to_run=RunToRun(error=0.0, freedom=1e9, sweeps=99))
UNKNOWN = Basis(lost_share=0.02)
# Known from so many sweeps that its own uncertainty is nothing.
BETWEEN = RunToRun(error=0.008, freedom=1e9, sweeps=99)


def a_record(name: str, visits_s: list[float], *, sweep: str = "one", word: str = "stable") -> Record:
    # Verdicts are given again where records are read, so the visits must bear this one out.
    waited = [[value] if word == "contended" else [0.0] for value in visits_s]
    visits = [
        Visit(at_s=float(at), settle_s=[], samples=Samples(seconds=[value], evidence={"wait_s": waits}))
        for at, (value, waits) in enumerate(zip(visits_s, waited, strict=True))
    ]
    return Record(
        sweep=sweep,
        model=Network(name=name, family="x", resolution_px=224, source="x", params=None, macs=None, top1_percent=None),
        target=find_targets("fake")[0],
        protocol=Protocol(),
        artifact=None,
        conditions=Conditions(machine=Machine(cpu="this", versions={"torch": "1"})),
        measurement=Measurement(clock="virtual", ran_on={}, warmup_s=[], visits=visits, basis=BASIS),
        verdict=Verdict(word=word),
    )


def a_run(seed: int, factor: float = 1.0, sweep: str = "one") -> list[Record]:
    """Every network, twenty visits of 1 % noise and a slow drift of half of that, which the networks share."""
    noise = random.Random(seed)
    drift, state = [], 0.0
    for _ in range(20):
        state = 0.7 * state + 0.7 * noise.gauss(0, 0.005)
        drift.append(state)
    return [
        a_record(
            name,
            [0.01 * (index + 1) * factor * math.exp(shared + noise.gauss(0, 0.01)) for shared in drift],
            sweep=sweep,
        )
        for index, name in enumerate(NAMES)
    ]


def test_identical_runs_differ_in_at_most_five_of_a_hundred_comparisons():
    alarms = [any(found.different for found in compare(a_run(seed), a_run(seed + 1000))) for seed in range(100)]
    assert sum(alarms) <= 5


def test_a_planted_slowdown_of_three_percent_is_found():
    found = [compare(a_run(seed), a_run(seed + 1000, factor=1.03)) for seed in range(20)]
    share = sum(row.different for rows in found for row in rows) / (20 * len(NAMES))
    assert share > 0.9
    assert all(row.ratio > 1 for rows in found for row in rows if row.different)


def a_run_among_others(seed: int, factor: float = 1.0) -> list[Record]:
    """A run with what no run sees of itself: 0.8 % of each network, half of it shared by all."""
    noise = random.Random(seed + 1_000_000)
    shared = noise.gauss(0, 0.008 / math.sqrt(2))
    records = []
    for record in a_run(seed, factor):
        own = math.exp(shared + noise.gauss(0, 0.008 / math.sqrt(2)))
        seconds = [part.samples.seconds[0] * own for part in record.measurement.visits]
        measurement = a_record(record.model.name, seconds).measurement
        basis = msgspec.structs.replace(BASIS, run_to_run=BETWEEN)
        records.append(msgspec.structs.replace(record, measurement=msgspec.structs.replace(measurement, basis=basis)))
    return records


def test_what_no_run_sees_of_itself_raises_no_alarms():
    pairs = [(a_run_among_others(seed), a_run_among_others(seed + 1000)) for seed in range(1, 101)]
    assert sum(any(found.different for found in compare(*pair)) for pair in pairs) <= 5


def test_many_that_are_slower_by_a_little_are_found_together():
    found = [compare(a_run_among_others(seed), a_run_among_others(seed + 1000, 1.03))[-1] for seed in range(1, 21)]
    assert {row.model for row in found} == {TOGETHER}
    assert sum(row.different for row in found) >= 8
    assert all(row.ratio > 1 for row in found if row.different)


def several(seed: int, sweeps: int, factor: float = 1.0) -> list[Record]:
    return [
        msgspec.structs.replace(record, sweep=f"sweep {index}")
        for index in range(sweeps)
        for record in a_run_among_others(100 * seed + index, factor)
    ]


def test_three_sweeps_a_run_find_three_percent_and_raise_no_alarms():
    changed = [compare(several(seed, 3), several(seed + 1000, 3, 1.03))[-1] for seed in range(1, 21)]
    assert sum(row.different for row in changed) >= 18
    same = [compare(several(seed, 3), several(seed + 1000, 3)) for seed in range(1, 41)]
    assert sum(any(row.different for row in rows) for rows in same) <= 2


def test_what_is_called_detectable_is_found_in_eight_of_ten():
    size = compare(several(1, 2), several(1001, 2))[-1].detectable
    found = [compare(several(seed, 2), several(seed + 1000, 2, 1 + size))[-1] for seed in range(1, 41)]
    assert 0.65 <= sum(row.different for row in found) / len(found) <= 1
    assert size < compare(several(1, 1), several(1001, 1))[-1].detectable


def test_of_several_sweeps_those_count_that_are_trusted():
    sweeps = [a_record("a", [0.1] * 9), a_record("a", [0.3] * 9, word="contended"), a_record("a", [0.1] * 9)]
    (found,) = compare(sweeps, sweeps[1:])
    assert (found.old_s, found.new_s, found.reason) == (pytest.approx(0.1), pytest.approx(0.1), "")


def test_sweeps_that_lie_further_apart_than_they_say_widen_the_interval():
    apart = [a_record("a", [0.1, 0.101, 0.099] * 3), a_record("a", [0.12, 0.121, 0.119] * 3)]
    (found,) = compare(apart, apart[:1])
    assert found.high / found.low > 1.3


def test_a_network_alone_has_nothing_to_be_together_with():
    assert [row.model for row in compare(a_run(1)[:1], a_run(2)[:1])] == NAMES[:1]


def test_the_interval_of_the_ratio_holds_the_truth():
    rows = [row for seed in range(40) for row in compare(a_run(seed), a_run(seed + 1000, factor=1.05))]
    assert sum(row.low <= 1.05 <= row.high for row in rows) / len(rows) > 0.9


def test_the_gate_opens_for_slower_ones_only():
    assert slower(compare(a_run(1), a_run(2, factor=1.10)), percent=3)
    assert not slower(compare(a_run(1), a_run(2, factor=0.90)), percent=3)
    assert not slower(compare(a_run(1), a_run(2, factor=1.02)), percent=3)


def unknown(records: list[Record], sweep: str = "one") -> list[Record]:
    """The same where nothing is known of how far sweeps lie apart."""
    return [
        msgspec.structs.replace(
            record, sweep=sweep, measurement=msgspec.structs.replace(record.measurement, basis=UNKNOWN)
        )
        for record in records
    ]


def test_before_three_sweeps_nothing_is_claimed_across_sweeps():
    rows = compare(unknown(a_run(1)), unknown(a_run(2, factor=2.0)))
    assert all("fewer than 3 sweeps" in row.reason and not row.different for row in rows)
    assert slower(rows, 3) == []


def test_three_sweeps_of_each_run_say_by_themselves_how_far_they_lie_apart():
    old, new = (
        [row for at in seeds for row in unknown(a_run(at, factor), str(at))]
        for seeds, factor in (
            (range(3), 1.0),
            (range(10, 13), 1.5),
        )
    )
    rows = [row for row in compare(old, new) if row.model in NAMES]
    assert all(not row.reason and row.different for row in rows)


def test_the_gate_tests_against_its_threshold_and_raises_at_most_five_alarms_in_a_hundred_at_it():
    alarms = [bool(slower(compare(a_run(seed), a_run(seed + 1000, factor=1.03)), 3)) for seed in range(100)]
    assert sum(alarms) <= 8  # at 5 % the chance of more is 7 %
    found = slower(compare(a_run(1), a_run(2, factor=1.1)), 3)
    assert {row.model for row in found} == set(NAMES)


def test_of_a_number_that_is_not_trusted_no_difference_is_claimed():
    (found,) = compare([a_record("a", [0.1] * 9)], [a_record("a", [0.2] * 9, word="contended")])
    assert (found.ratio, found.different) == (2.0, False)
    assert found.reason == "new is contended"


def test_a_missing_number_is_no_difference():
    missing = msgspec.structs.replace(a_record("a", [0.1] * 9), measurement=None, verdict=None, reason="out of memory")
    (found,) = compare([a_record("a", [0.1] * 9)], [missing])
    assert (found.new_s, found.ratio, found.different, found.reason) == (None, None, False, "out of memory")


@pytest.mark.parametrize("broken", [[], [0.0] * 9, [-0.1] * 9, [math.nan] * 9, [math.inf] * 9])
def test_times_that_no_clock_gives_are_no_number(broken):
    for old, new in ((broken, [0.1] * 9), ([0.1] * 9, broken)):
        (found,) = compare([a_record("a", old)], [a_record("a", new)])
        assert (found.ratio, found.different) == (None, False)
        assert found.reason.startswith("its record holds")


@pytest.mark.parametrize("visits_s", [[0.1], [0.1, 0.2], [1e-3, 1.0, 1e3]])
def test_of_visits_that_leave_no_interval_nothing_is_claimed_and_the_others_are_still_told_together(visits_s):
    others = a_run(1)[:2]
    (found, *_, together) = compare([a_record(NAMES[2], visits_s), *others], [a_record(NAMES[2], [0.1] * 9), *others])
    assert together.model == TOGETHER
    row = next(row for row in (found, *_) if row.model == NAMES[2])
    assert not row.different
    assert "Infinity" not in json.dumps([together.high, row.high, row.error, row.detectable])
    assert "NaN" not in json.dumps([together.p, together.low, together.freedom])


def test_what_differs_in_the_contexts_is_named():
    one = a_record("a", [0.1] * 9)
    other = msgspec.structs.replace(
        one,
        conditions=Conditions(machine=Machine(cpu="other", versions={"torch": "2"})),
        protocol=Protocol(visit_s=1.0),
    )
    assert differences(one, one) == []
    assert differences(one, other) == [
        "protocol.visit_s: 0.3 before, 1.0 now",
        "machine.cpu: 'this' before, 'other' now",
        "machine.versions.torch: '1' before, '2' now",
    ]


@pytest.fixture
def results(tmp_path):
    for record in [*a_run(1, sweep="aaa"), *a_run(2, sweep="bbb"), *a_run(3, factor=1.2, sweep="ccc")]:
        append_line(tmp_path / "fake.jsonl", record)
    return tmp_path


def test_a_run_is_a_folder_a_file_or_a_sweep(results):
    assert {record.sweep for record in run_named(str(results), results)} == {"ccc"}
    assert {record.sweep for record in run_named(str(results / "fake.jsonl"), results)} == {"ccc"}
    assert {record.sweep for record in run_named("aa", results)} == {"aaa"}
    old, new = last_two(results)
    assert ({record.sweep for record in old}, {record.sweep for record in new}) == ({"bbb"}, {"ccc"})
    assert {record.sweep for record in run_named(str(results), results, sweeps=2)} == {"bbb", "ccc"}
    with pytest.raises(UserError, match="no run named 'zzz'"):
        run_named("zzz", results)
    with pytest.raises(UserError, match="no target in"):
        last_two(results / "absent")
    with pytest.raises(UserError, match="with 4 sweeps"):
        last_two(results, sweeps=2)


def test_the_last_sweeps_are_those_that_ended_last_whatever_the_order_of_the_lines(tmp_path):
    ends = {"second": "2026-11-24T09:00:00Z", "third": "2026-11-24T10:00:00Z", "first": "2026-11-24T08:00:00Z"}
    for sweep, time in ends.items():
        record = a_record("a", [0.1] * 9, sweep=sweep)
        conditions = msgspec.structs.replace(record.conditions, end=Moment(time=time))
        append_line(tmp_path / "fake.jsonl", msgspec.structs.replace(record, conditions=conditions))
    old, new = last_two(tmp_path)
    assert ([record.sweep for record in old], [record.sweep for record in new]) == (["second"], ["third"])
    assert [record.sweep for record in run_named(str(tmp_path), tmp_path)] == ["third"]
    assert [record.sweep for record in run_named(str(tmp_path), tmp_path, sweeps=2)] == ["second", "third"]
    assert [record.sweep for record in run_named(str(tmp_path / "fake.jsonl"), tmp_path)] == ["third"]


def test_a_sweep_named_by_its_id_is_one_sweep(results):
    with pytest.raises(UserError, match="--sweeps counts those of a folder or file: the sweep aaa"):
        run_named("aaa", results, sweeps=2)


def run_compare(results, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "reports", "compare", "--results", str(results), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_gate_closes_where_a_trusted_number_is_lost(tmp_path):
    sound = [a_record(name, [0.1] * 9, sweep="old") for name in "abcd"]
    doubted = a_record("e", [0.1] * 9, sweep="old", word="contended")
    missing = msgspec.structs.replace(a_record("b", [0.1]), measurement=None, verdict=None, reason="out of memory")
    new = [a_record("a", [0.1] * 9), missing, a_record("c", [0.1] * 9, word="contended")]
    for record in [*sound, doubted, *(msgspec.structs.replace(each, sweep="new") for each in new)]:
        append_line(tmp_path / "fake.jsonl", record)
    assert run_compare(tmp_path, "old", "new").returncode == 0
    gated = run_compare(tmp_path, "old", "new", "--fail-if-slower", "3")
    assert gated.returncode == 1
    assert [line for line in gated.stderr.splitlines() if line.startswith("error: ")] == [
        "error: b on fake has no usable number any more: out of memory",
        "error: c on fake has no usable number any more: contended",
        "error: d on fake has no usable number any more: not measured",
    ]


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def test_json_is_json_even_where_a_number_is_missing_or_has_no_interval(tmp_path):
    missing = msgspec.structs.replace(a_record("a", [0.1]), measurement=None, verdict=None, reason="out of memory")
    for sweep, record in (("old", a_record("a", [0.1] * 9)), ("new", missing)):
        for each in (record, a_record("b", [0.1, 0.2]), a_record("c", [0.1])):
            append_line(tmp_path / "fake.jsonl", msgspec.structs.replace(each, sweep=sweep))
    ended = run_compare(tmp_path, "--json")
    assert ended.returncode == 0, ended.stderr
    rows = {row["model"]: row for row in json.loads(ended.stdout, parse_constant=refuse)["comparisons"]}
    assert rows["a"]["reason"] == "out of memory"
    assert {rows[name][key] for name in "abc" for key in ("low", "high", "error", "p", "detectable")} == {None}


def test_a_gate_that_can_test_nothing_says_so_and_fails(tmp_path):
    for sweep, factor in (("old", 1.0), ("new", 2.0)):
        for record in unknown(a_run(1, factor), sweep):
            append_line(tmp_path / "fake.jsonl", record)
    ended = run_compare(tmp_path, "old", "new", "--fail-if-slower", "3")
    assert ended.returncode == 3
    (error,) = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert "untestable" in error
    document = json.loads(run_compare(tmp_path, "old", "new", "--fail-if-slower", "3", "--json").stdout)
    assert document["outcome"] == "untestable"
    assert run_compare(tmp_path, "old", "new").returncode == 0


def test_the_command_gates_a_build(results):
    same = run_compare(results, "aaa", "bbb", "--fail-if-slower", "3")
    assert (same.returncode, same.stdout.count("none found")) == (0, 13)
    assert "Welch" in same.stderr
    worse = run_compare(results, "--fail-if-slower", "3")
    assert worse.returncode == 1
    assert worse.stderr.count("error: ") == 12  # each network; all of them together have no gate of their own
    named = str(results)
    together = run_compare(results, named, named, "--sweeps", "3", "--json")
    assert all(row["ratio"] == pytest.approx(1) for row in json.loads(together.stdout)["comparisons"])
    none = run_compare(results, named, named, "--sweeps", "0")
    assert (none.returncode, none.stderr.count("\n")) == (1, 1)
    alone = run_compare(results, "aaa")
    assert (alone.returncode, alone.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize("percent", ["-100", "nan"])
def test_a_threshold_that_no_ratio_can_have_is_one_error(results, percent):
    ended = run_compare(results, "--fail-if-slower", percent)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith(f"error: --fail-if-slower is out of range: {percent}")
