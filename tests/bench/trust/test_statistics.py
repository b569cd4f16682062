import math
import random
from statistics import mean, median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.trust.huber import huber_mean
from bench.trust.run_to_run import RunToRun, Told, run_to_run
from bench.trust.statistics import (
    Estimate,
    estimate,
    percentile,
    pool,
    sampling_error,
    t_quantile,
    t_tail,
    welch_freedom,
)

SECONDS = st.floats(1e-6, 1e3)
RUN_TO_RUN = RunToRun(error=0.008, freedom=30.0, sweeps=5)


# scipy is imported on first use
@given(st.lists(SECONDS, min_size=4, max_size=60))
def test_the_number_lies_among_the_visits_and_inside_its_interval(visits_s):
    found = estimate(visits_s)
    assert min(visits_s) * (1 - 1e-12) <= found.number_s <= max(visits_s) * (1 + 1e-12)
    assert found.low_s <= found.number_s * (1 + 1e-12)
    assert found.number_s <= found.high_s * (1 + 1e-12)
    assert found.half_width >= 0
    assert found.within_sweep


@given(st.lists(SECONDS, min_size=1, max_size=3), st.sampled_from([None, RUN_TO_RUN]))
def test_fewer_than_four_visits_have_no_interval(visits_s, run_to_run):
    found = estimate(visits_s, run_to_run=run_to_run)
    assert found.number_s == median(visits_s)
    assert (found.low_s, found.high_s) == (None, None)
    assert found.half_width == found.log_error == found.sampling == math.inf


def test_times_that_no_clock_gives_have_no_interval():
    assert estimate([0.1] * 8 + [0.0]).low_s is None
    assert estimate([-0.1] * 8).low_s is None


@given(st.lists(SECONDS, min_size=1, max_size=30), st.floats(1e-2, 1e2))
def test_it_scales_with_the_unit(visits_s, factor):
    one, other = estimate(visits_s), estimate([value * factor for value in visits_s])
    assert other.number_s == pytest.approx(one.number_s * factor)
    assert other.log_error == pytest.approx(one.log_error, rel=1e-6, abs=1e-9)


def test_one_visit_says_nothing_of_its_error():
    assert estimate([0.5]).log_error == math.inf


def test_equal_visits_have_no_error():
    assert estimate([0.25] * 8).half_width == 0


def test_a_drift_within_the_run_widens_the_interval():
    noise = random.Random(1)
    steady = [1 + 0.01 * noise.gauss(0, 1) for _ in range(24)]
    drifting = [value + 0.05 * (index // 12) for index, value in enumerate(steady)]
    assert estimate(drifting).half_width > 3 * estimate(steady).half_width


def visits_s(noise: random.Random, count: int, drift: float = 0.0, level: float = 0.0) -> list[float]:
    """Visits around 20 ms with 1 % of independent noise and a slow drift of a stationary process."""
    state, values = noise.gauss(0, drift), []
    for _ in range(count):
        state = 0.8 * state + 0.6 * noise.gauss(0, drift)
        values.append(0.02 * math.exp(level + state + 0.01 * noise.gauss(0, 1)))
    return values


def covered(visits: int, drift: float) -> float:
    """How often the interval of one sweep holds what it would give if it went on."""
    noise = random.Random(visits)
    found = [estimate(visits_s(noise, visits, drift)) for _ in range(1000)]
    return mean(each.low_s <= 0.02 <= each.high_s for each in found)


# Four visits have two blocks, of which the interval takes what they say at worst.
@pytest.mark.parametrize(("visits", "at_most"), [(4, 1.0), (6, 0.99), (8, 0.99), (20, 0.99), (60, 0.99)])
def test_within_a_sweep_the_interval_holds_what_it_would_give_if_it_went_on_as_often_as_it_says(visits, at_most):
    assert 0.93 <= covered(visits, drift=0.0) <= at_most


@pytest.mark.parametrize("visits", [20, 60])
def test_a_slow_drift_within_a_sweep_is_in_its_interval(visits):
    assert covered(visits, drift=0.005) >= 0.88


def a_sweep(chance: random.Random, *, shared: float, own: float, networks: int = 4) -> list[list[float]]:
    """The visits of each network of a sweep, with a condition that they share and an error of each its own."""
    mood = chance.gauss(0, shared)
    return [visits_s(chance, 15, level=mood + chance.gauss(0, own)) for _ in range(networks)]


def told(sweep: list[list[float]]) -> dict[str, Told]:
    alone = [estimate(each) for each in sweep]
    return {str(at): Told.of(found.number_s, found.log_error) for at, found in enumerate(alone)}


def among_others(earlier: list[list[list[float]]], this: list[list[float]]) -> list[Estimate]:
    """The estimates of a sweep that knows how far earlier ones lay apart."""
    between = run_to_run([told(sweep) for sweep in earlier], told(this))
    return [estimate(each, run_to_run=between) for each in this]


@pytest.mark.parametrize(
    ("sweeps", "spread"),
    [
        (3, {"shared": 0.006, "own": 0.006}),
        (5, {"shared": 0.0, "own": 0.01}),
        (5, {"shared": 0.008, "own": 0.004}),
        (9, {"shared": 0.01, "own": 0.0}),
        (5, {"shared": 0.0, "own": 0.0}),
    ],
)
def test_the_interval_holds_what_another_sweep_gives_as_often_as_it_says(sweeps, spread):
    chance, held = random.Random(sweeps), []
    for _ in range(300):
        *earlier, this, another = (a_sweep(chance, **spread) for _ in range(sweeps + 1))
        numbers = [median(each) for each in another]
        found = among_others(earlier, this)
        held += [each.low_s <= number <= each.high_s for each, number in zip(found, numbers, strict=True)]
        assert not any(each.within_sweep for each in found)
    assert 0.90 <= mean(held) <= 0.98


def test_before_three_sweeps_it_is_of_this_sweep_alone():
    chance = random.Random(1)
    first, second, third = (a_sweep(chance, shared=0.01, own=0.01) for _ in range(3))
    assert all(found.within_sweep for found in among_others([first], second))
    assert not any(found.within_sweep for found in among_others([first, second], third))


@given(st.lists(SECONDS, min_size=1, max_size=50), st.floats(0, 100))
def test_a_percentile_is_one_of_the_values_and_grows(values, percent):
    assert percentile(values, percent) in values
    assert percentile(values, percent) <= percentile(values, 100) == max(values)
    assert percentile(values, percent) == np.percentile(values, percent, method="inverted_cdf")
    assert percentile(values, 0) == min(values)


def test_percentiles_are_nearest_rank():
    values = list(range(1, 101))
    assert [percentile(values, percent) for percent in (5, 50, 95, 99)] == [5, 50, 95, 99]


def test_student_s_t_is_the_textbook_s():
    assert t_quantile(0.975, 4) == pytest.approx(2.776, abs=1e-3)
    assert t_tail(2.776, 4) == pytest.approx(0.025, abs=1e-4)


VISITS_S = [1.0, 1.01, 0.99, 1.005, 0.995, 1.0, 1.002, 0.998]


def test_what_no_run_sees_of_itself_widens_the_interval():
    alone, found = estimate(VISITS_S), estimate(VISITS_S, run_to_run=RUN_TO_RUN)
    assert found.half_width > alone.half_width
    assert (alone.within_sweep, found.within_sweep) == (True, False)
    assert alone.sampling == pytest.approx(alone.half_width, rel=0.02)
    # Another sweep has the same error once more.
    assert found.sampling == pytest.approx(alone.sampling * math.sqrt(2))
    assert found.log_error == pytest.approx(math.hypot(alone.log_error, 0.008))
    assert found.freedom > alone.freedom
    certain = RunToRun(error=0.008, freedom=1e9, sweeps=99)
    assert estimate([1.0] * 8, run_to_run=certain).half_width == pytest.approx(1.96 * math.sqrt(2) * 0.008, rel=0.01)


def test_an_error_that_few_sweeps_tell_is_itself_uncertain():
    few, many = (RunToRun(error=0.008, freedom=freedom, sweeps=3) for freedom in (2.0, 200.0))
    assert estimate([1.0] * 8, run_to_run=few).half_width > 2 * estimate([1.0] * 8, run_to_run=many).half_width


def test_the_error_of_the_correction_widens_the_interval_but_not_what_visits_can_narrow():
    alone, corrected = estimate(VISITS_S), estimate(VISITS_S, correction_error=0.02)
    assert corrected.log_error == pytest.approx(math.hypot(alone.log_error, 0.02))
    assert corrected.half_width > alone.half_width
    assert corrected.sampling == alone.sampling


def test_blocks_of_time_see_what_neighbouring_visits_share():
    alternating, stepped = [1.0, 1.02] * 12, [1.0] * 12 + [1.02] * 12
    independent = sampling_error(huber_mean([math.log(value) for value in alternating]))
    shared = sampling_error(huber_mean([math.log(value) for value in stepped]))
    assert shared[0] > 1.5 * independent[0]
    assert (independent[1], shared[1]) == (23.0, 5.0)


def test_one_run_says_together_what_it_says_alone():
    alone = estimate([1.0, 1.01, 0.99, 1.005], run_to_run=RUN_TO_RUN)
    assert pool([alone]).number_s == pytest.approx(alone.number_s)
    assert pool([alone]).log_error == alone.log_error
    assert pool([alone]).freedom == pytest.approx(alone.freedom)


def test_more_runs_say_it_with_less_error_unless_they_lie_apart():
    alone = estimate([1.0, 1.01, 0.99, 1.005], run_to_run=RUN_TO_RUN)
    assert pool([alone] * 4).log_error == pytest.approx(alone.log_error / 2)
    apart = pool([alone, estimate([1.2, 1.21, 1.19, 1.205])])
    assert apart.log_error == pytest.approx(math.log(1.2) / 2, rel=0.01)
    assert 1 <= apart.freedom < 2  # the distance of two runs is nearly all that is known


@given(st.lists(st.tuples(st.floats(0, 1e3), st.floats(1, 1e9)), min_size=1, max_size=6))
def test_degrees_of_freedom_lie_between_the_parts_least_and_their_sum(parts):
    freedoms = [freedom for _, freedom in parts]
    assert min(freedoms) * 0.999 <= welch_freedom(parts) <= sum(freedoms) * 1.001
