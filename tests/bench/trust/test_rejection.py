from typing import ClassVar

import msgspec
import pytest

from bench.measure import visit, warm_up
from bench.protocol import Protocol
from bench.records.record import Measurement
from bench.trust.reference import Reference
from bench.trust.rejection import Limits, Visit, clean_seconds, disturbances, least_disturbed, rejection_reason, value_s
from bench.trust.verdict import judge
from devices.samples import Samples

LIMITS = Limits(lost_share=0.02, tolerance={"arithmetic": 0.02, "exchange": 0.06}, reference_s={"arithmetic": 0.008})
PROTOCOL = Protocol()


def samples(*seconds: float, wait_s: float = 0.0, steal_s: float = 0.0, conditions=()) -> Samples:
    count = len(seconds)
    return Samples(
        seconds=list(seconds),
        evidence={"wait_s": [wait_s] * count, "steal_s": [steal_s] * count},
        conditions=list(conditions),
    )


def a_visit(*seconds: float, before: float | None = None, after: float | None = None, **evidence) -> Visit:
    readings = [{} if reading is None else {"arithmetic": samples(reading)} for reading in (before, after)]
    return Visit(at_s=0.0, settle_s=[0.1], samples=samples(*seconds, **evidence), before=readings[0], after=readings[1])


def measurement(*visits: Visit, limits: Limits = LIMITS) -> Measurement:
    return Measurement(clock="host", ran_on={}, warmup_s=[], visits=list(visits), limits=limits)


def test_a_sample_that_waited_for_a_core_is_not_clean():
    mixed = Samples(seconds=[0.1, 0.1, 0.1], evidence={"wait_s": [0.0, 0.003, 0.0], "steal_s": [0.0, 0.0, 0.01]})
    assert clean_seconds(mixed, 0.02) == [0.1]
    assert clean_seconds(Samples(seconds=[0.1, 0.2]), 0.02) == [0.1, 0.2]


@pytest.mark.parametrize(
    ("visited", "why"),
    [
        (a_visit(0.1, before=0.008, after=0.0081), None),
        (a_visit(0.1), None),
        (a_visit(0.1, before=0.008, after=0.009), "contended"),
        (a_visit(0.1, before=0.009, after=0.008), "contended"),
        (a_visit(0.1, wait_s=0.05), "contended"),
        (a_visit(0.1, steal_s=0.01), "contended"),
        (a_visit(0.1, conditions=[{"throttled": "hot"}]), "throttled"),
        (a_visit(0.1, conditions=[{"contended": "process 7 uses the GPU"}]), "contended"),
        (a_visit(0.1, conditions=[{"throttled": ""}]), None),
    ],
)
def test_a_round_counts_unless_its_evidence_objects(visited, why):
    assert rejection_reason(visited, LIMITS) == why


def test_without_a_known_reference_no_round_counts_but_none_is_called_contended():
    unknown = Limits(lost_share=0.02)
    assert rejection_reason(a_visit(0.1, before=0.008, after=0.008), unknown) == "too few samples"
    assert rejection_reason(a_visit(0.1, before=0.008, after=0.008, wait_s=0.05), unknown) == "contended"
    verdict = judge(measurement(*[a_visit(0.1, before=0.008, after=0.008)] * 2, limits=unknown), PROTOCOL)
    assert verdict.word == "too few samples"
    assert "too few readings of the references" in verdict.detail


def test_each_reference_work_has_a_limit_of_its_own():
    limits = msgspec.structs.replace(LIMITS, reference_s={"arithmetic": 0.008, "exchange": 0.0017})
    near, far = ({"arithmetic": samples(0.0081), "exchange": samples(each)} for each in (0.00175, 0.0027))
    visited = Visit(at_s=0.0, settle_s=[], samples=samples(0.1), before=near, after=near)
    assert disturbances(visited, limits) == []
    assert disturbances(msgspec.structs.replace(visited, after=far), limits) == ["exchange"]
    assert disturbances(msgspec.structs.replace(visited, samples=samples(0.1, wait_s=0.1)), limits) == ["waiting"]


def test_too_few_rounds_that_count_give_way_to_the_least_disturbed():
    disturbed = [a_visit(factor, before=0.008 * factor, after=0.008) for factor in (3, 1.05, 2, 1.04, 1.06, 2, 3, 4)]
    assert [visited.samples.seconds[0] for visited in least_disturbed(disturbed, LIMITS)] == [1.05, 1.04]
    assert [visited.samples.seconds[0] for visited in least_disturbed(disturbed[:3], LIMITS)] == [1.05]
    assert measurement(*disturbed[:3]).estimate.median_s == pytest.approx(1.05 / 1.02)
    assert least_disturbed([a_visit(0.1)] * 8, LIMITS) == [a_visit(0.1)] * 8


def test_a_round_s_value_is_the_median_of_its_clean_samples():
    mixed = Samples(seconds=[0.1, 0.3, 0.2, 0.9], evidence={"wait_s": [0, 0, 0, 0.5], "steal_s": [0.0] * 4})
    assert value_s(Visit(at_s=0, settle_s=[], samples=mixed), LIMITS) == 0.2


@pytest.mark.parametrize(
    ("before", "after", "slowdown"),
    [(0.008, 0.008, 1.0), (0.008, 0.00816, 1.01), (0.0079, 0.0079, 1.0), (0.016, 0.016, 1.02)],
)
def test_what_slowed_arithmetic_down_is_divided_out_up_to_what_is_tolerated(before, after, slowdown):
    assert value_s(a_visit(0.1, before=before, after=after), LIMITS) == pytest.approx(0.1 / slowdown)


def test_disturbed_rounds_are_kept_and_left_out_of_the_estimate():
    found = measurement(*[a_visit(0.1)] * 8, *[a_visit(0.3, wait_s=0.2)] * 8)
    assert found.estimate.median_s == 0.1
    assert found.raw_median_s == pytest.approx(0.2)
    assert len(found.seconds) == 16


@pytest.mark.parametrize(
    ("visits", "word"),
    [
        ([a_visit(0.1)] * 8, "stable"),
        ([a_visit(0.1)] * 3, "too few samples"),
        ([a_visit(0.1)] * 3 + [a_visit(0.2, wait_s=0.1)] * 9, "contended"),
        ([a_visit(0.1, conditions=[{"throttled": "hot"}])] * 9, "throttled"),
        ([a_visit(0.1 * 1.2**index) for index in range(12)], "drifting"),
    ],
)
def test_the_verdict_says_why_a_number_can_not_be_trusted(visits, word):
    verdict = judge(measurement(*visits), PROTOCOL)
    assert verdict.word == word
    assert verdict.detail


class Scripted:
    """A session that takes given seconds and notes what it was asked."""

    place: ClassVar[dict[str, str | int]] = {}
    clock = "script"

    def __init__(self, seconds, aggregates: bool = False):
        self.seconds, self.aggregates, self.asked = iter(seconds), aggregates, []

    def run(self, count: int) -> Samples:
        self.asked.append(count)
        return Samples(seconds=[next(self.seconds) for _ in range(1 if self.aggregates else count)])

    def close(self) -> None:
        pass


def steadily(second: float):
    while True:
        yield second


def test_a_warm_up_goes_on_until_its_halves_agree():
    falling = (1.0 / (step + 1) + 0.1 for step in range(10_000))
    session = Scripted(falling)
    seconds = warm_up(session, Protocol(warmup_s=0.5, warmup_max_s=1e9, warmup_drift=0.2))
    half = len(seconds) // 2
    assert sum(seconds[half:]) / len(seconds[half:]) < sum(seconds[:half]) / half
    assert len(seconds) > 10
    assert len(warm_up(Scripted(steadily(0.1)), PROTOCOL)) < len(seconds)


def test_a_warm_up_ends_at_its_limit():
    wild = (0.1 * (1 + step % 2 * step) for step in range(100_000))
    assert sum(warm_up(Scripted(wild), Protocol(warmup_max_s=2.0))) < 40


def visit_of(session, reference=None, protocol=PROTOCOL, *, at_s=0.0, patience_s=3.0) -> Visit:
    return visit(session, protocol, lambda: at_s, reference or Reference(), LIMITS, patience_s)


def test_a_visit_settles_then_samples_for_its_time():
    session = Scripted([9.0, *[0.05] * 100])
    visited = visit_of(session, protocol=Protocol(visit_s=0.5, settle_samples=1, visit_samples=2), at_s=3.0)
    assert visited.settle_s == [9.0]
    assert visited.samples.seconds == [0.05] * 10
    assert (visited.at_s, visited.before, visited.after) == (3.0, {}, {})


def test_a_tool_that_gives_aggregates_is_called_once_a_visit():
    session = Scripted(steadily(0.2), aggregates=True)
    assert warm_up(session, PROTOCOL) == []
    assert visit_of(session).samples.seconds == [0.2]
    assert session.asked == [PROTOCOL.visit_samples]


class Counted:
    """Cores that were brought together so often."""

    def __init__(self):
        self.times = 0

    def gather(self, duration_s: float) -> None:
        self.times += 1


def readings_of(seconds) -> Scripted:
    """A reference work whose every reading is led by a run that doesn't count."""
    return Scripted(second for reading in seconds for second in (0.1, reading))


def test_a_visit_stands_between_two_readings_of_the_reference():
    reference = Reference({"arithmetic": readings_of([0.008, 0.0081, 0.007])})
    first = visit_of(Scripted(steadily(0.3)), reference)
    assert (first.before["arithmetic"].seconds, first.after["arithmetic"].seconds) == ([0.008], [0.0081])
    second = visit_of(Scripted(steadily(0.3)), reference)
    # The reading after one visit is the one before the next, as long as it is fresh.
    assert (second.before["arithmetic"].seconds, second.after["arithmetic"].seconds) == ([0.0081], [0.007])


def test_a_visit_waits_for_an_undisturbed_reading_and_brings_the_cores_together_but_not_for_ever():
    cores = Counted()
    reference = Reference({"arithmetic": readings_of([0.02, 0.02, 0.02, 0.008, 0.008])}, cores)
    waited = visit_of(Scripted(steadily(0.3)), reference)
    assert waited.before["arithmetic"].seconds == [0.008]
    assert cores.times == 3
    busy_for_ever = Reference({"arithmetic": readings_of(steadily(0.02))}, cores)
    hasty = visit_of(Scripted(steadily(0.3)), busy_for_ever, patience_s=0)
    assert hasty.before["arithmetic"].seconds == [0.02]
    assert cores.times == 3
