import random
from statistics import mean, median, stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.trust.huber import huber_mean, huber_weights, robust_scale

VALUES = st.lists(st.floats(-10, 10), min_size=1, max_size=60)


@given(VALUES)
def test_the_mean_lies_among_the_values_and_is_that_of_those_it_returns(values):
    found = huber_mean(values)
    assert min(values) - 1e-9 <= found.mean <= max(values) + 1e-9
    assert found.mean == pytest.approx(mean(found.values), abs=1e-9)
    assert len(found.values) == len(values)
    assert 0 < found.inside <= 1


@given(VALUES, st.floats(-5, 5))
def test_it_moves_with_the_values(values, by):
    moved = huber_mean([value + by for value in values])
    assert moved.mean == pytest.approx(huber_mean(values).mean + by, abs=1e-6)


def test_one_value_far_off_hardly_moves_it():
    choose = random.Random(1)
    values = [choose.gauss(0, 1) for _ in range(40)]
    assert abs(huber_mean([*values, 1e6]).mean - huber_mean(values).mean) < 0.1


def test_normal_values_give_nearly_the_mean_and_its_error():
    choose, errors, medians, said = random.Random(2), [], [], []
    for _ in range(400):
        values = [choose.gauss(0, 1) for _ in range(20)]
        found = huber_mean(values)
        errors.append(found.mean)
        medians.append(median(values))
        said.append(stdev(found.values) / 20**0.5)
    assert stdev(errors) < 0.95 * stdev(medians)
    assert mean(said) == pytest.approx(stdev(errors), rel=0.1)


def test_a_robust_scale_and_its_weights_ignore_what_lies_far_off():
    values = np.array([-0.02, -0.01, 0.0, 0.01, 0.02, 5.0, 7.0])
    scale = robust_scale(values)
    assert scale == pytest.approx(1.4826 * 0.02, rel=0.6)
    weights = huber_weights(values, scale)
    assert weights[:5].tolist() == [1.0] * 5
    assert weights[5] == pytest.approx(1.345 * scale / (5.0 - 0.01))
    assert huber_weights(np.array([1.0, 1.0, 1.0, 2.0]), 0.0).tolist() == [1.0, 1.0, 1.0, 0.0]
