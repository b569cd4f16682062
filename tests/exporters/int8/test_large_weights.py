"""Weights of more than 32 MiB, which ai-edge-quantizer 0.10 can't quantize by itself."""

import numpy as np
import pytest

from exporters.int8.litert import quantizing_large_weights

ROWS = 4200


@pytest.fixture
def quantizing():
    """The quantizer's module; GPU environments have none."""
    from ai_edge_quantizer.algorithms.uniform_quantize import uniform_quantize_tensor

    return uniform_quantize_tensor


def quantized(quantizing, columns):
    """Weights (ROWS, 1, 1, columns) in integers, with a scale for each row, by the quantizer and by the definition."""
    from ai_edge_quantizer.qtyping import UniformQuantParams

    weights = np.random.default_rng(1).normal(size=(ROWS, 1, 1, columns)).astype(np.float32)
    scale = np.abs(weights).max(axis=(1, 2, 3), keepdims=True) / 127
    params = UniformQuantParams(
        num_bits=8, quantized_dimension=0, scale=scale, zero_point=np.zeros(scale.shape, np.int32), symmetric=True
    )
    return quantizing.uniform_quantize(weights, params), np.round(weights / scale).astype(np.int8)


def test_by_itself_the_quantizer_fails(quantizing):
    with pytest.raises(ValueError, match="more dimensions"):
        quantized(quantizing, 2048)


@pytest.mark.parametrize("columns", [8, 2048])
def test_small_and_large_ones_are_rounded_by_the_scales_of_their_channels(quantizing, columns):
    with quantizing_large_weights():
        found, expected = quantized(quantizing, columns)
    assert found.shape == (ROWS, 1, 1, columns)
    assert np.array_equal(found, expected)


def test_the_quantizer_is_its_own_afterwards(quantizing):
    before = quantizing.uniform_quantize
    with pytest.raises(ZeroDivisionError), quantizing_large_weights():
        raise ZeroDivisionError
    assert quantizing.uniform_quantize is before
