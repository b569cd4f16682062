import math
import random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.trust.statistics import estimate, percentile, pool, t_quantile, t_tail, welch_freedom

SECONDS = st.floats(1e-6, 1e3)


@given(st.lists(SECONDS, min_size=1, max_size=60))
def test_the_estimate_is_the_median_inside_its_interval(visits_s):
    found = estimate(visits_s)
    assert found.median_s == median(visits_s)
    assert found.low_s <= found.median_s <= found.high_s
    assert found.half_width >= 0


@given(st.lists(SECONDS, min_size=3, max_size=30), st.floats(1e-2, 1e2))
def test_it_scales_with_the_unit(visits_s, factor):
    one, other = estimate(visits_s), estimate([value * factor for value in visits_s])
    assert other.median_s == pytest.approx(one.median_s * factor)
    assert other.log_error == pytest.approx(one.log_error, rel=1e-6, abs=1e-9)


def test_one_round_says_nothing_of_its_error():
    assert estimate([0.5]).log_error == math.inf


def test_equal_rounds_have_no_error():
    assert estimate([0.25] * 8).half_width == 0


def test_a_drift_within_the_run_widens_the_interval():
    noise = random.Random(1)
    steady = [1 + 0.01 * noise.gauss(0, 1) for _ in range(24)]
    drifting = [value + 0.05 * (index // 12) for index, value in enumerate(steady)]
    assert estimate(drifting).half_width > 3 * estimate(steady).half_width


def covered(visits: int, runs: int, drift: float) -> float:
    """How often a run's interval holds another run's estimate: visits with independent noise and a slow drift."""
    noise = random.Random(visits)
    estimates = []
    for _ in range(runs):
        state, values = noise.gauss(0, drift), []
        for _ in range(visits):
            state = 0.8 * state + 0.6 * noise.gauss(0, drift)
            values.append(0.02 * math.exp(state + 0.01 * noise.gauss(0, 1)))
        estimates.append(estimate(values))
    pairs = [(one, other) for one in estimates for other in estimates if one is not other]
    return sum(one.low_s <= other.median_s <= one.high_s for one, other in pairs) / len(pairs)


@pytest.mark.parametrize("visits", [8, 20, 60])
def test_the_interval_holds_what_another_run_gives_as_often_as_it_says(visits):
    assert 0.93 <= covered(visits, runs=150, drift=0.0) <= 0.99
    assert covered(visits, runs=150, drift=0.005) >= 0.90


@given(st.lists(SECONDS, min_size=1, max_size=50), st.floats(0, 100))
def test_a_percentile_is_one_of_the_values_and_grows(values, percent):
    assert percentile(values, percent) in values
    assert percentile(values, percent) <= percentile(values, 100) == max(values)
    assert percentile(values, 0) == min(values)


def test_percentiles_are_nearest_rank():
    values = list(range(1, 101))
    assert [percentile(values, percent) for percent in (5, 50, 95, 99)] == [5, 50, 95, 99]


def test_student_s_t_is_the_textbook_s():
    assert t_quantile(0.975, 4) == pytest.approx(2.776, abs=1e-3)
    assert t_tail(2.776, 4) == pytest.approx(0.025, abs=1e-4)


def test_what_no_run_sees_of_itself_widens_the_interval_but_not_what_rounds_can_narrow():
    visits_s = [1.0, 1.01, 0.99, 1.005, 0.995, 1.0, 1.002, 0.998]
    alone, among_others = estimate(visits_s), estimate(visits_s, run_to_run=0.008)
    assert among_others.half_width > alone.half_width
    assert among_others.sampling == alone.sampling == pytest.approx(alone.half_width, rel=0.02)
    assert among_others.log_error == pytest.approx(math.hypot(alone.log_error, 0.008))
    assert among_others.freedom > alone.freedom
    assert estimate([1.0] * 8, run_to_run=0.008).half_width == pytest.approx(1.96 * math.sqrt(2) * 0.008, rel=0.01)


def test_one_run_says_together_what_it_says_alone():
    alone = estimate([1.0, 1.01, 0.99, 1.005], run_to_run=0.008)
    assert pool([alone]).median_s == pytest.approx(alone.median_s)
    assert pool([alone]).log_error == alone.log_error
    assert pool([alone]).freedom == pytest.approx(alone.freedom)


def test_more_runs_say_it_with_less_error_unless_they_lie_apart():
    alone = estimate([1.0, 1.01, 0.99, 1.005], run_to_run=0.008)
    assert pool([alone] * 4).log_error == pytest.approx(alone.log_error / 2)
    apart = pool([alone, estimate([1.2, 1.21, 1.19, 1.205])])
    assert apart.log_error == pytest.approx(math.log(1.2) / 2, rel=0.01)
    assert 1 <= apart.freedom < 2  # the distance of two runs is nearly all that is known


@given(st.lists(st.tuples(st.floats(0, 1e3), st.floats(1, 1e9)), min_size=1, max_size=6))
def test_degrees_of_freedom_lie_between_the_parts_least_and_their_sum(parts):
    freedoms = [freedom for _, freedom in parts]
    assert min(freedoms) * 0.999 <= welch_freedom(parts) <= sum(freedoms) * 1.001
