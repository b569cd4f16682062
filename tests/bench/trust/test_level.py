"""A smoothed level follows what wanders and ignores what is noise, on any scale and at any times."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.trust.level import local_level


def simulated(noise: float, walk: float, *, count: int = 400, gap_s: float = 0.25, seed: int = 1):
    """The readings' times, the true levels and the readings of a level that wanders `walk` in a second."""
    chance = np.random.default_rng(seed)
    at_s = np.cumsum(chance.uniform(0.2, 1.8, count) * gap_s)
    steps = chance.normal(0, walk, count) * np.sqrt(np.diff(at_s, prepend=0))
    levels = np.cumsum(steps)
    return at_s, levels, levels + chance.normal(0, noise, count)


@given(st.floats(-10, 10), st.integers(1, 50))
def test_a_constant_is_its_own_level(value, count):
    found = local_level(np.arange(count, dtype=float), np.full(count, value))
    assert found.levels.tolist() == [value] * count
    assert (found.noise, found.walk) == (0.0, 0.0)


@settings(max_examples=20)
@given(st.integers(0, 1000), st.floats(1e-3, 1e3), st.floats(-100, 100))
def test_a_level_scales_and_shifts_with_its_readings(seed, scale, shift):
    at_s, _, values = simulated(0.02, 0.01, count=60, seed=seed)
    one, other = local_level(at_s, values), local_level(at_s, values * scale + shift)
    assert other.levels == pytest.approx(one.levels * scale + shift, rel=1e-3, abs=1e-4 * scale)
    assert other.noise == pytest.approx(one.noise * scale, rel=0.02)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_a_level_stays_within_the_readings(seed):
    at_s, _, values = simulated(0.02, 0.05, count=60, seed=seed)
    levels = local_level(at_s, values).levels
    assert np.all((levels >= values.min() - 1e-9) & (levels <= values.max() + 1e-9))


@pytest.mark.parametrize("seed", range(5))
def test_a_step_is_followed(seed):
    at_s = np.arange(100) * 0.2
    noise = np.random.default_rng(seed).normal(0, 0.01, 100)
    found = local_level(at_s, noise + np.where(at_s < 10, 0.0, 0.10))
    assert np.abs(found.levels[:45]).max() < 0.02
    assert np.abs(found.levels[55:] - 0.10).max() < 0.02


@pytest.mark.parametrize("seed", range(5))
def test_one_reading_far_off_moves_the_level_little(seed):
    at_s, _, values = simulated(0.02, 0.005, seed=seed)
    spoiled = values.copy()
    spoiled[200] += 0.5
    moved = local_level(at_s, spoiled).levels - local_level(at_s, values).levels
    assert np.abs(moved).max() < 0.02
    assert np.median(np.abs(moved)) < 0.002


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("noise", "walk"), [(0.025, 0.01), (0.01, 0.01), (0.005, 0.02)])
def test_noise_and_walk_are_recovered(noise, walk, seed):
    at_s, _, values = simulated(noise, walk, seed=seed)
    found = local_level(at_s, values)
    # Weights of the t distribution see normal noise up to a fifth smaller.
    assert 0.65 * noise < found.noise < 1.2 * noise
    assert walk / 2 < found.walk < walk * 2


@pytest.mark.parametrize("seed", range(4))
def test_the_level_is_nearer_to_the_truth_than_the_readings(seed):
    at_s, levels, values = simulated(0.025, 0.01, seed=seed)
    error = np.std(local_level(at_s, values).levels - levels)
    assert error < 0.5 * np.std(values - levels)


def test_pure_noise_has_a_constant_level():
    values = np.random.default_rng(3).normal(0, 0.02, 300)
    found = local_level(np.arange(300) * 0.2, values)
    assert np.ptp(found.levels) < 0.01
    assert found.walk < 0.003


def test_far_apart_readings_may_differ_and_near_ones_may_not():
    chance = np.random.default_rng(4)
    groups = np.repeat(np.arange(12), 10)
    at_s = groups * 60.0 + np.tile(np.arange(10) * 0.1, 12)
    truth = np.array([0.0, 0.05] * 6)[groups]
    levels = local_level(at_s, truth + chance.normal(0, 0.02, 120)).levels
    assert np.abs(levels - truth).max() < 0.025
    within = np.ptp(levels.reshape(12, 10), axis=1)
    assert within.max() < 0.01


def test_readings_at_one_moment_are_no_error():
    found = local_level(np.array([0.0, 0.0, 0.0, 1.0, 1.0]), np.array([1.0, 2.0, 3.0, 2.0, 2.5]))
    assert np.all(np.isfinite(found.levels))


def test_between_readings_it_is_linear_and_beyond_them_constant():
    found = local_level(np.array([1.0, 3.0]), np.array([0.0, 4.0]))
    assert [found.at(at_s) for at_s in (0.0, 2.0, 9.0)] == [2.0, 2.0, 2.0]
    stepped = found._replace(levels=np.array([0.0, 4.0]))
    assert [stepped.at(at_s) for at_s in (0.0, 1.5, 3.0, 9.0)] == [0.0, 1.0, 4.0, 4.0]
