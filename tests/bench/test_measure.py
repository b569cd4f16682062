"""The one measuring loop: a warm-up, then visits with readings of the reference workloads around their samples."""

import itertools
from typing import ClassVar

import pytest

from bench.measure import visit, warm_up
from bench.protocol import Protocol
from bench.trust.reference import Reference
from bench.trust.visit import COMPUTE, Visit
from devices.samples import STEADY, Samples
from devices.worker import SessionLost

PROTOCOL = Protocol()


class Scripted:
    """A session that takes given seconds and notes what it was asked."""

    ran_on: ClassVar[dict[str, str | int]] = {}
    clock = "script"

    def __init__(self, seconds, aggregates: bool = False, log: list | None = None):
        self.seconds, self.aggregates, self.asked = iter(seconds), aggregates, []
        self.log = [] if log is None else log

    def run(self, count: int) -> Samples:
        self.asked.append(count)
        self.log.append(count)
        seconds = [next(self.seconds) for _ in range(1 if self.aggregates else count)]
        return Samples(
            seconds=seconds, evidence={"wait_s": [0.0] * len(seconds)}, conditions=[{"call": len(self.asked)}]
        )

    def close(self) -> None:
        pass


def steadily(second: float):
    return itertools.repeat(second)


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


class Card:
    """A session of a device that tells these readings, one table a run, the last one over and over."""

    ran_on: ClassVar[dict[str, str | int]] = {}
    clock, aggregates = "script", False

    def __init__(self, *tables: dict):
        self.tables, self.runs = tables, 0

    def run(self, count: int) -> Samples:
        table = self.tables[min(self.runs, len(self.tables) - 1)]
        self.runs += 1
        return Samples(seconds=[0.01] * count, conditions=[table])

    def close(self) -> None:
        pass


WARM = Protocol(warmup_s=3.0, warmup_max_s=15.0)


@pytest.mark.parametrize("name", STEADY)
def test_a_warm_up_goes_on_until_clocks_and_power_are_steady(name):
    climbing = [{name: 100 * 1.1**step} for step in range(12)]
    session = Card(*climbing)
    assert sum(warm_up(session, WARM)) == pytest.approx(0.02 + 12 * 0.75)
    assert session.runs == len(climbing) + 1
    assert 3.0 <= sum(warm_up(Card(climbing[-1]), WARM)) < 4.0


def test_a_warm_up_whose_clocks_never_settle_ends_at_its_limit():
    wild = [{"sm_clock_mhz": 1000 + step % 2 * 500} for step in range(100)]
    assert 15.0 <= sum(warm_up(Card(*wild), WARM)) < 16.0


@pytest.mark.parametrize("table", [{}, {"sm_clock_mhz": None, "power_w": None}, {"sm_clock_mhz": 0}])
def test_a_warm_up_waits_for_no_reading_that_is_not_told(table):
    assert sum(warm_up(Card(table), WARM)) < 4.0


SOAKING = Protocol(warmup_s=3.0, sustained=True, soak_s=10.0, soak_max_s=60.0)


def test_a_sustained_warm_up_goes_on_until_the_temperature_is_steady():
    rising = [{"temperature_c": 40 + step // 2} for step in range(40)]
    took_s = sum(warm_up(Card(*rising), SOAKING))
    steady_from_s = 0.02 + 36 * 0.75  # the last two degrees come before that
    assert took_s == pytest.approx(steady_from_s + 10, abs=1.5)
    assert sum(warm_up(Card({"temperature_c": 60}), SOAKING)) == pytest.approx(10, abs=1)


def test_a_sustained_warm_up_whose_temperature_rises_on_ends_at_its_limit():
    rising = [{"temperature_c": 40 + step} for step in range(1000)]
    assert 60 <= sum(warm_up(Card(*rising), SOAKING)) < 61


@pytest.mark.parametrize("session", [Card({"sm_clock_mhz": 1}), Scripted(steadily(0.1), aggregates=True)])
def test_sustained_is_refused_where_no_temperature_is_told(session):
    with pytest.raises(SessionLost, match="leave --sustained out"):
        warm_up(session, SOAKING)


def visit_of(session, reference=None, protocol=PROTOCOL, *, at_s=0.0) -> Visit:
    return visit(session, protocol, lambda: at_s, reference or Reference())


def test_a_visit_settles_then_samples_for_its_time():
    session = Scripted([0.09, *[0.05] * 100])
    visited = visit_of(session, protocol=Protocol(visit_s=0.9, settle_samples=1, visit_samples=2), at_s=3.0)
    assert visited.settle_s == [0.09]
    assert visited.samples.seconds == [0.05] * 10
    assert (visited.at_s, visited.readings) == (3.0, [])


def test_every_sample_keeps_its_evidence_and_every_call_its_conditions():
    session = Scripted(steadily(0.05))
    visited = visit_of(session, protocol=Protocol(visit_s=0.5, reading_every_s=0.2))
    assert len(visited.samples.evidence["wait_s"]) == len(visited.samples.seconds) == 10
    assert visited.samples.conditions == [{"call": call} for call in (2, 3, 4)]


def test_a_long_run_counts_as_its_own_settling():
    session = Scripted([0.5, 0.4, 0.3])
    visited = visit_of(session, protocol=Protocol(settle_s=0.1, visit_s=0.3, visit_samples=3))
    assert visited.settle_s == []
    assert visited.samples.seconds == [0.5, 0.4, 0.3]
    assert sum(session.asked) == 3


def test_one_long_sample_may_be_all():
    visited = visit_of(Scripted([0.5]), protocol=Protocol(visit_samples=1))
    assert (visited.settle_s, visited.samples.seconds) == ([], [0.5])


def test_without_settling_every_sample_counts():
    visited = visit_of(Scripted(steadily(0.01)), protocol=Protocol(settle_samples=0, visit_s=0.1))
    assert (visited.settle_s, len(visited.samples.seconds)) == ([], 10)


def test_a_tool_that_gives_aggregates_is_called_once_a_visit():
    session = Scripted(steadily(0.2), aggregates=True)
    assert warm_up(session, PROTOCOL) == []
    assert visit_of(session).samples.seconds == [0.2]
    assert session.asked == [PROTOCOL.visit_samples]


class Workload:
    """A reference workload that notes when it was read."""

    def __init__(self, log: list) -> None:
        self.log = log

    def run(self, count: int) -> Samples:
        if self.log[-1:] != ["read"]:  # the run that leads a reading is no other one
            self.log.append("read")
        return Samples(seconds=[0.008] * count)


@pytest.mark.parametrize(
    ("each_s", "protocol", "order"),
    [
        (0.01, Protocol(visit_s=0.3, reading_every_s=0.15), ["read", 1, 15, "read", 15, "read"]),
        (0.01, Protocol(visit_s=0.3, reading_every_s=0.1), ["read", 1, 10, "read", 10, "read", 10, "read"]),
        (0.01, Protocol(visit_s=0.3, reading_every_s=1.0), ["read", 1, 30, "read"]),
        (0.09, Protocol(visit_s=0.3, reading_every_s=0.15), ["read", 1, 2, "read", 1, "read"]),
        (0.09, Protocol(visit_s=0.3, reading_every_s=0.01), ["read", 1, 1, "read", 1, "read", 1, "read"]),
        (0.5, Protocol(visit_samples=3), ["read", 1, 1, "read", 1, "read"]),
    ],
)
def test_the_reference_is_read_before_between_and_after_the_samples(each_s, protocol, order):
    log: list = []
    visited = visit_of(Scripted(steadily(each_s), log=log), Reference({COMPUTE: Workload(log)}), protocol)
    assert log == order
    assert len(visited.readings) == log.count("read")


def test_a_visit_ends_with_its_last_reading_and_has_a_middle():
    clock = itertools.count(10.0, 0.25)
    visited = visit(Scripted(steadily(0.01)), PROTOCOL, lambda: next(clock), Reference({COMPUTE: Workload([])}))
    at_s = [reading.at_s for reading in visited.readings]
    assert at_s == sorted(at_s)
    assert at_s[0] <= visited.at_s <= at_s[1]
    assert visited.end_s == at_s[-1]
    assert visited.middle_s == pytest.approx((visited.at_s + visited.end_s) / 2)
    alone = visit_of(Scripted(steadily(0.01)), at_s=2.0)
    assert alone.end_s == pytest.approx(2.0 + 0.01 * 31)
