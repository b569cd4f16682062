"""Several devices of one target: coverage of the interval, by simulation, and what must not matter."""

import math
import random
from statistics import fmean, median

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from bench.protocol import Protocol
from bench.trust.devices import by_device, device_levels, estimate_of_devices
from bench.trust.run_to_run import RunToRun
from bench.trust.statistics import estimate, t_quantile
from bench.trust.verdict import judge
from tests.bench.made_up import a_visit, measured, visits_of

TRUE_S, SCATTER = 0.02, 0.01
SECONDS = st.floats(1e-6, 1e3)
BETWEEN = RunToRun(error=0.01, freedom=20.0, sweeps=5)


def simulated(chance, count, effect, visits):
    """The visits of so many devices, and what these very devices come to without scatter."""
    effects = [chance.gauss(0, effect) for _ in range(count)]
    grouped = {
        f"phone {number}": [TRUE_S * math.exp(own + chance.gauss(0, SCATTER)) for _ in range(chance.choice(visits))]
        for number, own in enumerate(effects)
    }
    return grouped, TRUE_S * math.exp(fmean(effects))


@pytest.mark.parametrize("effect", [0.0, 0.02, 0.05])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_interval_holds_what_all_such_devices_come_to_as_often_as_it_says(count, effect):
    chance, runs = random.Random(count), 200
    held = of_these = 0
    for _ in range(runs):
        grouped, these_s = simulated(chance, count, effect, visits=(2, 3, 6, 15))
        found, alone = estimate_of_devices(grouped), estimate_of_devices(grouped, between=False)
        held += found.low_s <= TRUE_S <= found.high_s
        of_these += alone.low_s <= these_s <= alone.high_s
        assert found.half_width >= alone.half_width
        assert found.sampling == alone.sampling == pytest.approx(alone.half_width, rel=0.01)
    # 95 % less three standard errors of so many runs.
    least = 0.95 - 3 * math.sqrt(0.95 * 0.05 / runs)
    assert held / runs >= least
    assert of_these / runs >= least


def test_visits_alone_would_promise_too_much():
    chance, runs = random.Random(1), 100
    held = 0
    for _ in range(runs):
        grouped, _ = simulated(chance, 3, 0.05, visits=(6,))
        mixed = estimate([value for visit in zip(*grouped.values(), strict=True) for value in visit])
        held += mixed.low_s <= TRUE_S <= mixed.high_s
    assert held / runs < 0.8


@given(st.integers(1, 40), st.integers(1, 40), st.permutations([1.0, 1.03, 0.98]))
def test_how_many_visits_each_device_makes_does_not_matter(first, second, factors):
    counts = (first, second, 4)
    grouped = {f"{factor}": [0.1 * factor] * count for factor, count in zip(factors, counts, strict=True)}
    found = estimate_of_devices(grouped)
    assert found.number_s == pytest.approx(0.1 * math.exp(fmean(map(math.log, factors))), rel=1e-12)
    assert device_levels(grouped) == pytest.approx({f"{factor}": 0.1 * factor for factor in factors}, rel=1e-12)


@given(st.lists(st.lists(SECONDS, min_size=1, max_size=12), min_size=2, max_size=5))
def test_the_number_lies_among_the_devices_inside_its_interval_in_whatever_order_they_come(groups):
    grouped = {str(number): group for number, group in enumerate(groups)}
    found = estimate_of_devices(grouped)
    levels = device_levels(grouped).values()
    assert min(levels) * (1 - 1e-9) <= found.number_s <= max(levels) * (1 + 1e-9)
    backwards = estimate_of_devices(dict(reversed(grouped.items())))
    assert backwards.number_s == pytest.approx(found.number_s)
    if sum(map(len, groups)) < 4:
        assert found.half_width == found.sampling == math.inf
    else:
        assume(found.low_s > 0 and found.high_s < math.inf)
        assert found.low_s <= found.number_s * (1 + 1e-9)
        assert found.number_s <= found.high_s * (1 + 1e-9)


def test_one_visit_a_device_is_known_by_their_distances_alone():
    found = estimate_of_devices({"a": [0.1], "b": [0.102], "c": [0.098], "d": [0.101]})
    assert 0 < found.half_width < 0.05
    assert found.freedom == 3.0
    assert found.sampling == math.inf


def test_two_devices_that_agree_by_chance_are_no_surer_than_their_visits():
    values = [0.1, 0.102, 0.098, 0.101, 0.099, 0.1]
    found = estimate_of_devices({"a": values, "b": values})
    assert found.half_width == pytest.approx(found.sampling, rel=0.01)
    assert found.half_width > 0.002


def test_the_error_between_devices_has_one_degree_of_freedom_less_than_there_are():
    found = estimate_of_devices({"a": [0.1] * 9, "b": [0.101] * 9})
    apart = math.log(1.01)
    assert found.high_s / found.number_s == pytest.approx(math.exp(t_quantile(0.975, 1) * apart / 2))
    assert (found.freedom, found.sampling) == (1.0, 0.0)


def test_other_errors_come_on_top():
    grouped = {"a": [0.1] * 5, "b": [0.1] * 5}
    assert estimate_of_devices(grouped, correction_error=0.03).log_error == pytest.approx(0.03)
    found = estimate_of_devices(grouped, run_to_run=BETWEEN)
    assert (found.log_error, found.within_sweep) == (0.01, False)


def test_times_that_no_clock_gives_have_no_interval():
    assert estimate_of_devices({"a": [0.1] * 5, "b": [0.0, 0.1, 0.1]}).low_s is None


def on(device, visits):
    return [replace(visit, device=device) for visit in visits]


@given(st.lists(SECONDS, min_size=1, max_size=30), st.sampled_from([None, "phone 1"]))
def test_one_device_or_none_named_is_as_without_devices_to_the_bit(seconds, device):
    found = measured(on(device, visits_of(seconds)), run_to_run=BETWEEN)
    assert found.estimate == estimate(seconds, run_to_run=BETWEEN)
    assert found.alone == estimate(seconds)
    assert found.undivided == found.estimate
    assert (found.levels_s, found.device_spread, found.beside_devices) == ({}, 1.0, seconds)


def test_a_measurement_knows_the_levels_of_its_devices_by_the_visits_that_count():
    visits = [*on("a", visits_of([0.1] * 6)), *on("b", visits_of([0.11] * 2)), *on("b", [a_visit(9.0, wait_s=9.0)])]
    found = measured(visits)
    assert found.levels_s == pytest.approx({"a": 0.1, "b": 0.11})
    assert found.device_spread == pytest.approx(1.1)
    assert found.estimate.number_s == pytest.approx(math.sqrt(0.1 * 0.11))
    assert found.beside_devices == pytest.approx([1.0] * 8)
    assert found.alone.half_width == pytest.approx(0)
    assert found.estimate.half_width > 0.1
    assert measured([*on("a", visits_of([0.1] * 6)), *on("b", [a_visit(9.0, wait_s=9.0)])]).levels_s == {}


def test_where_no_visit_counts_each_device_still_counts_the_same():
    visits = [*on("a", visits_of([0.1] * 9, wait_s=1.0)), *on("b", visits_of([0.2], wait_s=1.0))]
    found = measured(visits).estimate
    assert (found.number_s, found.low_s) == (pytest.approx(0.15), None)
    one = measured(on("a", visits_of([0.1, 0.2, 0.4], wait_s=1.0))).estimate
    assert (one.number_s, one.low_s) == (0.2, None)


def test_devices_that_lie_apart_are_told_apart_from_noise():
    slight = [0.1, 0.1002, 0.0998, 0.1001, 0.0999, 0.1]
    visits = [*on("a", visits_of(slight)), *on("b", visits_of([value * 1.04 for value in slight]))]
    verdict = judge(measured(visits), Protocol())
    assert verdict.word == "noisy"
    assert "by 12 of 12 visits on 2 devices" in verdict.detail
    assert "its 2 devices lie 4.0% apart, measure on more of them, or on one alone" in verdict.detail


def test_a_device_that_comes_in_late_is_no_drift():
    chance = random.Random(1)
    values = [0.1 * math.exp(chance.gauss(0, 0.05)) for _ in range(12)]
    visits = [*on("a", visits_of(values)), *on("b", visits_of([value * 1.3 for value in values]))]
    assert judge(measured(visits), Protocol()).word == "noisy"
    assert judge(measured([replace(visit, device=None) for visit in visits]), Protocol()).word == "drifting"


def test_visits_that_name_no_device_are_of_one():
    assert by_device([1.0, 2.0, 3.0], [None, "a", None]) == {"": [1.0, 3.0], "a": [2.0]}
    assert median(by_device([1.0, 2.0, 3.0], [None] * 3)[""]) == 2.0
