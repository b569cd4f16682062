import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.axis.knee import knee_of
from reports.axis.rates import Rate, rate_of
from reports.cells import Latency

BATCHES = (1, 2, 4, 8, 16, 32, 64)


def rates(values, error=0.01):
    return [Rate(value, value * (1 - error), value * (1 + error)) for value in values]


def saturating(most, half):
    return [most * batch / (batch + half) for batch in BATCHES]


@pytest.mark.parametrize(
    ("values", "knee"),
    [
        ([100, 200, 400, 800, 810, 820, 830], 8),
        ([100, 190, 200, 200, 200, 200, 200], 2),
        ([500, 667, 800, 889, 941, 970, 985], 8),  # 1000 n / (n + 1); the chord rises by 81 a step
        ([100, 150, 200, 210, 180, 150, 120], 8),  # it falls again: too large for a cache
    ],
)
def test_the_knee_is_furthest_above_the_chord(values, knee):
    assert BATCHES[knee_of(BATCHES, rates(values)).at] == knee


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([100, 150, 200, 250, 300, 350, 400], "straight within its intervals"),
        ([100.0] * 7, "nothing is faster than the first point"),
        ([100, 200, 400, 800, 1600, 3200, 6400], "still rises at the end"),
        ([100, 99, 98, 97, 80, 60, 40], "nothing is faster than the first point"),
        ([100, 60, 50, 48, 47, 46, 45], "nothing is faster than the first point"),
    ],
)
def test_a_curve_without_a_knee_says_why(values, why):
    knee = knee_of(BATCHES, rates(values))
    assert knee.at is None
    assert why in knee.reason


def test_a_knee_within_the_intervals_is_none():
    values = [100, 104, 106, 107, 108, 109, 110]
    assert knee_of(BATCHES, rates(values, 0.001)).at is not None
    assert knee_of(BATCHES, rates(values, 0.05)).at is None


def test_a_number_without_an_interval_leaves_the_knee_open():
    values = rates(saturating(1000, 1.0))
    values[-1] = rate_of(Latency.exactly(1.0))
    assert knee_of(BATCHES, values).reason == "knee unknown: some of its numbers have no interval"


@given(st.floats(0.3, 4.0), st.floats(1e-3, 1e6), st.integers(1, 8))
def test_the_knee_depends_on_no_unit(half, scale, times):
    knee = knee_of(BATCHES, rates(saturating(1.0, half))).at
    assert knee is not None
    assert knee_of([times * batch for batch in BATCHES], rates(saturating(scale, half))).at == knee


def test_noise_on_a_straight_line_is_hardly_ever_a_knee():
    chance = random.Random(1)
    found = 0
    for _ in range(400):
        line = [(100 + 50 * at) * chance.gauss(1, 0.01) for at in range(7)]
        found += knee_of(BATCHES, rates(line, 1.96 * 0.01)).at is not None
    assert found <= 20  # of 400: 2.5 % are expected at most


def test_a_rate_is_the_inverse_of_a_latency_and_of_its_ends():
    assert rate_of(Latency(2.0, 1.0, 4.0)) == Rate(500.0, 250.0, 1000.0)
    assert rate_of(Latency(2.0, 1.0, 4.0), 3.0).value == 1500.0
