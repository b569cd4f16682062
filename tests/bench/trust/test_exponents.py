"""A network's exponents are learnt from its own visits, however noisy the readings beside them are."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.trust.condition import track
from bench.trust.exponents import Information, learn
from bench.trust.rejection import value_s
from bench.trust.visit import Visit
from tests.bench.made_up import LOST_SHARE, a_reading, a_visit

PRIOR = (1.0, 0.5)
TRUE = (0.75, 0.85)


def wandering(chance, count: int, walk: float) -> np.ndarray:
    return np.cumsum(chance.normal(0, walk, count))


def simulated(seed: int, visits: int = 300, noise: float = 0.004):
    """The logarithms of visits, and the true conditions, of a machine whose clock and cores wander."""
    chance = np.random.default_rng(seed)
    conditions = np.column_stack([wandering(chance, visits, 0.01), wandering(chance, visits, 0.02)])
    logs = math.log(0.05) + conditions @ np.array(TRUE) + chance.normal(0, noise, visits)
    return logs.tolist(), [tuple(each) for each in conditions.tolist()]


def test_without_visits_they_are_the_prior_s():
    found, information = learn([], [])
    assert information is None
    assert (found.compute, found.core_to_core) == pytest.approx(PRIOR)
    assert np.array(found.covariance) == pytest.approx(np.diag([0.25, 0.25]))


@pytest.mark.parametrize("count", [1, 7])
def test_fewer_than_eight_visits_say_nothing(count):
    logs, conditions = simulated(1)
    assert learn(logs[:count], conditions[:count]) == learn([], [])
    assert learn(logs[:8], conditions[:8])[1] is not None


@pytest.mark.parametrize("seed", range(6))
def test_many_visits_overrule_the_prior(seed):
    found, _ = learn(*simulated(seed))
    for value, true, error in zip((found.compute, found.core_to_core), TRUE, np.diag(found.covariance), strict=True):
        assert value == pytest.approx(true, abs=0.05)
        assert abs(value - true) < 4.5 * math.sqrt(error)


def test_visits_at_one_condition_leave_the_prior():
    chance = np.random.default_rng(1)
    found, _ = learn(chance.normal(-3, 0.01, 50).tolist(), [(0.1, 0.05)] * 50)
    assert (found.compute, found.core_to_core) == pytest.approx(PRIOR)


def test_equal_visits_at_equal_conditions_are_no_error():
    found, information = learn([-3.0] * 8, [(0.0, 0.0)] * 8)
    assert (found.compute, found.core_to_core) == pytest.approx(PRIOR)
    assert information is not None


def a_sweep(seed: int, reading_noise: float = 0.025) -> list[Visit]:
    """Visits of one network with three readings each, as noisy as real ones; its clock and cores wander."""
    chance = np.random.default_rng(seed)
    count = 1000
    at_s = np.arange(count) * 0.15
    conditions = np.column_stack([wandering(chance, count, 0.002), wandering(chance, count, 0.004)])
    compute = conditions[:, 0] + chance.normal(0, reading_noise, count)
    core = conditions.sum(axis=1) + chance.normal(0, reading_noise, count)
    readings = [
        a_reading(*each)
        for each in zip(at_s.tolist(), (0.008 * np.exp(compute)).tolist(), (0.006 * np.exp(core)).tolist(), strict=True)
    ]
    visits = []
    for start in range(0, count - 2, 4):
        middle = conditions[start : start + 3].mean(axis=0)
        seconds = 0.3 * math.exp(float(middle @ np.array(TRUE)) + chance.normal(0, 0.004))
        visits.append(a_visit(seconds, at_s=float(at_s[start]), readings=readings[start : start + 3]))
    return visits


def learnt(visits: list[Visit], smoothed: bool) -> tuple[float, float]:
    """The exponents by smoothed conditions, or by the readings of each visit as they are."""
    condition = track(visits, LOST_SHARE, {"compute": 0.008, "core_to_core": 0.006})
    logs = [math.log(value_s(visit, LOST_SHARE)) for visit in visits]
    if smoothed:
        conditions = [condition.at(visit.middle_s) for visit in visits]
    else:
        raw = [
            np.log(
                [
                    [each.workloads[name].seconds[0] for name in ("compute", "core_to_core")]
                    for each in visit.readings[:1]
                ]
            )[0]
            - np.log([0.008, 0.006])
            for visit in visits
        ]
        conditions = [(float(compute), float(core - compute)) for compute, core in raw]
    found, _ = learn(logs, conditions)
    return found.compute, found.core_to_core


def test_noise_of_the_readings_does_not_attenuate_them():
    smoothed = np.mean([learnt(a_sweep(seed), smoothed=True) for seed in range(6)], axis=0)
    assert smoothed == pytest.approx(TRUE, abs=0.08)
    raw = np.mean([learnt(a_sweep(seed), smoothed=False) for seed in range(6)], axis=0)
    # What the smoothing is for: without it they come out too small.
    assert raw[1] < smoothed[1] - 0.1


def test_what_earlier_sweeps_said_adds_up():
    logs, conditions = simulated(3)
    _, first = learn(logs[:150], conditions[:150])
    _, second = learn(logs[150:], conditions[150:])
    together, none = learn([], [], [first, second])
    assert none is None
    alone, _ = learn([], [], [first])
    assert (together.compute, together.core_to_core) == pytest.approx(TRUE, abs=0.06)
    assert np.linalg.inv(np.array(together.covariance)) == pytest.approx(
        np.diag([4.0, 4.0]) + np.array(first.precision) + np.array(second.precision)
    )
    assert np.all(np.diag(together.covariance) < np.diag(alone.covariance))


def test_what_a_sweep_says_is_its_own_alone():
    logs, conditions = simulated(4)
    _, earlier = learn(logs[:150], conditions[:150])
    _, own = learn(logs[150:], conditions[150:])
    with_earlier, own_then = learn(logs[150:], conditions[150:], [earlier])
    assert np.array(own_then.precision) == pytest.approx(np.array(own.precision), rel=0.1)
    summed = np.diag([4.0, 4.0]) + np.array(earlier.precision) + np.array(own_then.precision)
    assert np.linalg.inv(np.array(with_earlier.covariance)) == pytest.approx(summed)


NUMBERS = st.floats() | st.floats(-10, 10) | st.sampled_from([0.0, -4.0, 1e-300, 1e23, 1e300, -1e23])


@given(values=st.lists(NUMBERS, min_size=6, max_size=6), symmetric=st.booleans())
def test_what_a_file_says_is_learnt_from_or_impossible(values, symmetric):
    a, b, c, d, x, y = values
    said = Information(precision=((a, b), (b if symmetric else c, d)), weighted=(x, y))
    if said.possible:
        logs, conditions = simulated(6, visits=20)
        for found, _ in (learn([], [], [said, said]), learn(logs, conditions, [said])):
            assert abs(found.compute) < 100
            assert abs(found.core_to_core) < 100
            assert math.isfinite(found.log_error((0.1, 0.1)))


@given(
    seed=st.integers(0, 1000),
    scale=st.sampled_from([0.0, 1e-6, 1.0, 30.0]),
    noise=st.sampled_from([0.0, 1e-9, 0.01, 1.0]),
)
def test_what_visits_say_is_possible(seed, scale, noise):
    chance = np.random.default_rng(seed)
    conditions = chance.normal(0, scale, (12, 2))
    logs = -3 + conditions @ np.array(TRUE) + chance.normal(0, noise, 12)
    _, said = learn(logs.tolist(), [tuple(each) for each in conditions.tolist()])
    assert said.possible


def test_more_visits_leave_less_error():
    logs, conditions = simulated(5)
    errors = [np.diag(learn(logs[:count], conditions[:count])[0].covariance) for count in (0, 10, 50, 300)]
    assert all(np.all(more < fewer) for fewer, more in itertools.pairwise(errors))


@pytest.mark.parametrize("factor", [3.0, 0.5])
def test_outlying_visits_change_little(factor):
    logs, conditions = simulated(6)
    spoiled = [log + (math.log(factor) if at % 12 == 0 else 0.0) for at, log in enumerate(logs)]
    (one, _), (other, _) = learn(logs, conditions), learn(spoiled, conditions)
    assert (other.compute, other.core_to_core) == pytest.approx((one.compute, one.core_to_core), abs=0.03)


def test_the_error_of_a_slowdown_grows_with_the_distance_from_the_condition_of_reference():
    found, _ = learn(*simulated(7, visits=20))
    assert found.log_slowdown((0.0, 0.0)) == found.log_error((0.0, 0.0)) == 0.0
    assert found.log_slowdown((0.1, 0.2)) == pytest.approx(0.1 * found.compute + 0.2 * found.core_to_core)
    assert found.log_error((0.2, 0.4)) == pytest.approx(2 * found.log_error((0.1, 0.2)))
    direction = np.array([0.1, 0.2])
    assert found.log_error((0.1, 0.2)) ** 2 == pytest.approx(float(direction @ np.array(found.covariance) @ direction))
