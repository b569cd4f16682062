"""The machine's condition: every clean reading of a sweep counts once, whatever its record calls it."""

import itertools
import math
import random

import msgspec
import pytest

from bench.trust.condition import clock_range_hz, track
from bench.trust.visit import COMPUTE, CORE_TO_CORE, Reading, Visit
from tests.bench.made_up import LOST_SHARE, a_reading, a_visit, samples

REFERENCE_S = {COMPUTE: 0.008, CORE_TO_CORE: 0.006}


def sweep_of(*readings: Reading) -> list[Visit]:
    return [a_visit(0.1, at_s=reading.at_s, readings=[reading]) for reading in readings]


def steady(count: int, compute_s: float = 0.008, core_to_core_s: float = 0.006, **evidence) -> list[Reading]:
    # No two readings take the same to the last digit: those that do are one.
    taken_s = ((compute_s * (1 + at * 1e-9), core_to_core_s) for at in range(count))
    return [a_reading(float(at), *each, **evidence) for at, each in enumerate(taken_s)]


def test_it_is_two_logarithms_relative_to_a_given_condition():
    found = track(sweep_of(*steady(10, 0.0088, 0.0099)), LOST_SHARE, REFERENCE_S)
    assert found.reference_s == REFERENCE_S
    assert found.at(3.0) == pytest.approx((math.log(1.1), math.log(1.65 / 1.1)))


@pytest.mark.parametrize("reference_s", [None, {COMPUTE: 0.008}])
def test_without_one_it_is_relative_to_the_sweep_s_own_median(reference_s):
    found = track(sweep_of(*steady(10)), LOST_SHARE, reference_s)
    assert found.reference_s == pytest.approx(REFERENCE_S)
    assert found.at(3.0) == pytest.approx((0.0, 0.0), abs=1e-7)


@pytest.mark.parametrize("count", [0, 1, 7])
def test_few_readings_say_nothing(count):
    assert track(sweep_of(*steady(count)), LOST_SHARE, REFERENCE_S) is None
    assert track(sweep_of(*steady(8)), LOST_SHARE, REFERENCE_S) is not None


def test_readings_that_waited_or_were_stolen_are_left_out():
    slow = [msgspec.structs.replace(each, at_s=each.at_s + 0.5) for each in steady(10, 0.02, 0.02, wait_s=0.01)]
    stolen = [msgspec.structs.replace(each, at_s=each.at_s + 0.7) for each in steady(10, 0.02, 0.02, steal_s=0.01)]
    found = track(sweep_of(*steady(10), *slow, *stolen), LOST_SHARE, REFERENCE_S)
    assert len(found.levels[COMPUTE].at_s) == len(found.levels[CORE_TO_CORE].at_s) == 10
    assert found.at(4.5) == pytest.approx((0.0, 0.0), abs=1e-7)
    assert track(sweep_of(*steady(7), *slow), LOST_SHARE, REFERENCE_S) is None


def test_a_reading_that_two_visits_share_counts_once():
    shared = steady(10)
    visits = [a_visit(0.1, at_s=before.at_s, readings=[before, after]) for before, after in itertools.pairwise(shared)]
    assert track(visits, LOST_SHARE, None).levels[COMPUTE].at_s.tolist() == [each.at_s for each in shared]


def first_schema(at_s: float, before, after) -> Visit:
    return Visit(at_s=at_s, settle_s=[0.1], samples=samples(0.1, 0.1), before=before, after=after)


def first_names(compute_s: float, core_to_core_s: float):
    return {"arithmetic": samples(compute_s), "exchange": samples(core_to_core_s)}


def test_the_readings_of_the_first_schema_are_read_by_their_new_names_at_its_beginning_and_end():
    visit = first_schema(5.0, first_names(0.008, 0.006), first_names(0.009, 0.007))
    before, after = visit.all_readings()
    assert (before.at_s, after.at_s) == (5.0, pytest.approx(5.3))
    assert [sorted(each.workloads) for each in (before, after)] == [[COMPUTE, CORE_TO_CORE]] * 2
    assert (before.workloads[COMPUTE].seconds, after.workloads[CORE_TO_CORE].seconds) == ([0.008], [0.007])


def test_of_the_first_schema_too_a_shared_reading_counts_once():
    readings = [first_names(0.008 + at * 1e-5, 0.006) for at in range(10)]
    visits = [first_schema(float(at), readings[at], readings[at + 1]) for at in range(9)]
    assert len(track(visits, LOST_SHARE, None).levels[COMPUTE].at_s) == 10


def test_visits_without_readings_say_nothing():
    assert track([a_visit(0.1, at_s=float(at)) for at in range(20)], LOST_SHARE, None) is None
    assert track([], LOST_SHARE, None) is None


def test_noise_is_that_of_one_reading():
    chance = random.Random(1)
    noisy = [
        a_reading(at * 0.3, *(each * math.exp(chance.gauss(0, 0.025)) for each in (0.008, 0.006))) for at in range(300)
    ]
    levels = track(sweep_of(*noisy), LOST_SHARE, REFERENCE_S).levels
    assert set(levels) == {COMPUTE, CORE_TO_CORE}
    assert all(0.016 < level.noise < 0.03 for level in levels.values())


def test_the_clock_s_range_leaves_out_the_outermost_readings():
    rates = [1e9, *[3.6e9] * 50, *[4.1e9] * 49, 9e9]
    visits = sweep_of(
        *[msgspec.structs.replace(each, clock_hz=hz) for each, hz in zip(steady(101), rates, strict=True)]
    )
    assert clock_range_hz(visits) == (3.6e9, 4.1e9)
    assert clock_range_hz(sweep_of(*steady(10))) is None
