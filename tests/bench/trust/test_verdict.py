"""Each verdict says in one sentence what was seen and what to do."""

import math
import random

import msgspec
import pytest

from bench.protocol import Protocol
from bench.trust.exponents import Exponents
from bench.trust.run_to_run import RunToRun
from bench.trust.verdict import USABLE, Verdict, judge
from tests.bench.made_up import a_reading, a_visit, measured, visits_of

PROTOCOL = Protocol()
SURE = Exponents(compute=1.0, core_to_core=0.5, covariance=((0.0, 0.0), (0.0, 0.0)))
SLIGHT = [0.1, 0.1002, 0.0998, 0.1001, 0.0999, 0.1, 0.1003, 0.0997]


def wild(count: int, spread: float = 0.2) -> list[float]:
    chance = random.Random(1)
    return [0.1 * math.exp(chance.gauss(0, spread)) for _ in range(count)]


def verdict_of(visits, protocol: Protocol = PROTOCOL, **basis) -> Verdict:
    return judge(measured(visits, **basis), protocol)


HOT = visits_of([0.1] * 9, conditions=[{"throttled": "the clock went down to 900 MHz"}])


@pytest.mark.parametrize(
    ("visits", "word", "detail"),
    [
        (visits_of([0.1] * 8), "stable", "±0.0% within this sweep by 8 of 8 visits"),
        (visits_of([0.1] * 3), "too few samples", "3 of 3 visits count, of at least 6; give a larger --budget"),
        (
            visits_of([0.1] * 3) + visits_of([0.2] * 9, wait_s=0.1),
            "contended",
            "3 of 12 visits count: threads waited for a core in 9 of them; measure while nothing else runs",
        ),
        (
            visits_of([0.1] * 9, steal_s=0.1),
            "contended",
            "0 of 9 visits count: steal by the host in 9 of them; measure while nothing else runs",
        ),
        (
            HOT,
            "throttled",
            "0 of 9 visits count: the clock went down to 900 MHz in 9 of them; cool the device, or lower its load",
        ),
    ],
)
def test_the_word_and_what_was_seen_and_what_to_do(visits, word, detail):
    found = verdict_of(visits)
    assert (found.word, found.detail) == (word, detail)
    assert found.usable is (word in USABLE)


def test_a_number_that_wanders_within_the_sweep_is_drifting():
    found = verdict_of(visits_of([0.1 * 1.2**at for at in range(12)]))
    assert found.word == "drifting"
    assert "slower in the second half; ±" in found.detail
    assert "let it warm up or cool, and repeat" in found.detail
    assert "faster in the second half" in verdict_of(visits_of([0.1 * 0.8**at for at in range(12)])).detail


def test_a_drift_that_the_condition_explains_is_none():
    chance = random.Random(2)
    conditions = [(0.05 * at, 0.0) for at in range(12)]
    seconds = [0.1 * math.exp(c + chance.gauss(0, 0.1)) for c, _ in conditions]
    assert verdict_of(visits_of(seconds)).word == "drifting"
    assert verdict_of(visits_of(seconds), conditions=conditions, exponents=SURE).word == "noisy"


def test_a_step_within_the_sweep_is_drifting_and_one_wild_visit_is_not():
    noise = random.Random(3)
    stepped = [0.1 * math.exp(0.3 * (at >= 6) + noise.gauss(0, 0.02)) for at in range(12)]
    assert verdict_of(visits_of(stepped)).word == "drifting"
    assert verdict_of(visits_of([0.1] * 11 + [0.9])).word == "noisy"


def test_a_wide_interval_is_noisy():
    found = verdict_of(visits_of(wild(12)))
    assert found.word == "noisy"
    assert "within this sweep by 12 of 12 visits; give a larger --budget, or measure with --repeat" in found.detail
    assert verdict_of(visits_of(wild(12)), Protocol(usable_interval=0.5)).word == "stable"


def test_sweeps_that_lie_far_apart_make_a_number_noisy():
    far = RunToRun(error=0.05, freedom=2.0, sweeps=3)
    assert verdict_of(visits_of(SLIGHT)).word == "stable"
    assert verdict_of(visits_of(SLIGHT), run_to_run=far).word == "noisy"
    near = msgspec.structs.replace(far, error=0.002, freedom=30.0)
    found = verdict_of(visits_of(SLIGHT), run_to_run=near)
    assert found.word == "stable"
    assert "within this sweep" not in found.detail


@pytest.mark.parametrize("min_visits", [1, 4, 6])
@pytest.mark.parametrize("count", range(1, 8))
def test_fewer_than_four_visits_are_never_stable_whatever_is_asked(count, min_visits):
    found = verdict_of(visits_of([0.1] * count), Protocol(min_visits=min_visits))
    assert found.word == ("stable" if count >= max(4, min_visits) else "too few samples")


def test_where_no_more_visits_were_allowed_a_larger_budget_is_no_advice():
    found = verdict_of(visits_of([0.1] * 3), Protocol(max_visits=3))
    assert found.detail == "3 of 3 visits count, of at least 6; give a larger --max-visits"


def test_slow_readings_alone_are_no_contention():
    slow = [
        a_visit(each, at_s=float(at), readings=[a_reading(float(at), 0.08, 0.06, wait_s=0.05)])
        for at, each in enumerate(wild(12))
    ]
    assert verdict_of(slow).word == "noisy"


def test_half_of_the_visits_must_be_rejected_for_its_reason():
    undisturbed, disturbed = visits_of([0.1] * 3), visits_of([0.2] * 3, wait_s=0.1)
    assert verdict_of(undisturbed + disturbed).word == "contended"
    assert verdict_of(undisturbed + disturbed[:2]).word == "too few samples"
    assert verdict_of(visits_of([0.1] * 6) + visits_of([0.2] * 30, wait_s=0.1)).word == "stable"


def test_of_two_reasons_the_more_frequent_one_is_the_word():
    waiting = visits_of([0.2] * 4, wait_s=0.1)
    assert verdict_of(HOT + waiting).word == "throttled"
    assert verdict_of(HOT[:3] + waiting).word == "contended"


def corrected(by: float, visits, **basis) -> Verdict:
    return verdict_of(visits, conditions=[(by, 0.0)] * len(visits), **({"exponents": SURE} | basis))


@pytest.mark.parametrize(("by", "says"), [(0.1, "9.5% divided out"), (-0.1, "10.5% added")])
def test_a_number_of_which_much_was_divided_out_is_corrected(by, says):
    found = corrected(by, visits_of(SLIGHT))
    assert (found.word, found.usable) == ("corrected", True)
    assert found.detail.startswith(f"{says}, by the reference workloads; ±0.")
    assert found.detail.endswith("within this sweep by 8 of 8 visits; usable and comparable")


def test_the_clock_s_range_explains_it():
    found = corrected(0.1, visits_of(SLIGHT), clock_hz=(3.604e9, 4.096e9))
    assert "9.5% divided out while the clock went from 3.60 to 4.10 GHz, by the reference workloads" in found.detail


def test_it_is_corrected_only_when_more_was_divided_out_than_the_interval_leaves_open():
    assert corrected(0.0001, visits_of(SLIGHT)).word == "stable"
    unsure = msgspec.structs.replace(SURE, covariance=((0.04, 0.0), (0.0, 0.04)))
    visits = visits_of(SLIGHT)
    assert corrected(0.1, visits, exponents=unsure).word == "corrected"
    doubtful = msgspec.structs.replace(SURE, compute=0.05, covariance=((0.04, 0.0), (0.0, 0.04)))
    assert corrected(0.1, visits, exponents=doubtful).word == "stable"


def test_a_number_that_was_corrected_may_be_noisy_all_the_same():
    assert corrected(0.1, visits_of(wild(12))).word == "noisy"
