"""Scales of INT8 files, and what channels of tiny weights, as trained networks have them, become."""

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from exporters import onnx_run
from exporters.int8.insertion import halve, insert
from exporters.int8.placement import Placement

magnitudes = st.floats(-44, 3).map(lambda exponent: 10.0**exponent) | st.just(0.0)


def quantized(weights, bias, *, halved, magnitude=3.0, then=1.0):
    """A 1x1 convolution (out, in) with its bias, a ReLU whose largest output is `then`, and one that copies that."""
    count = len(weights)
    graph = helper.make_graph(
        [
            helper.make_node("Conv", [onnx_run.INPUT, "w", "b"], ["y"], "first", kernel_shape=[1, 1]),
            helper.make_node("Relu", ["y"], ["z"], "relu"),
            helper.make_node("Conv", ["z", "copy"], [onnx_run.OUTPUT], "second", kernel_shape=[1, 1]),
        ],
        "two",
        [helper.make_tensor_value_info(onnx_run.INPUT, TensorProto.FLOAT, ["N", weights.shape[1], 4, 4])],
        [helper.make_tensor_value_info(onnx_run.OUTPUT, TensorProto.FLOAT, ["N", count, 4, 4])],
        [
            numpy_helper.from_array(weights[:, :, None, None], "w"),
            numpy_helper.from_array(bias, "b"),
            numpy_helper.from_array(np.eye(count, dtype=np.float32)[:, :, None, None], "copy"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    placement = Placement({"first": [0], "second": [0]}, {"first": 1, "second": 1})
    insert(model, placement, {onnx_run.INPUT: magnitude, "z": then})
    if halved:
        halve(model)
    return model


def constants(model):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


@given(st.lists(magnitudes, min_size=1, max_size=6), magnitudes, st.booleans())
def test_every_scale_is_a_number_above_0_and_covers_its_channel(channels, magnitude, halved):
    weights = np.array(channels, dtype=np.float64)[:, None].astype(np.float32)
    found = constants(quantized(weights, np.zeros(len(weights), np.float32), halved=halved, magnitude=magnitude))
    for name in ("w_scale", f"{onnx_run.INPUT}_scale"):
        scale = found[name].astype(np.float64)
        assert np.isfinite(scale).all()
        assert (scale >= np.finfo(found[name].dtype).smallest_normal).all()
    scale, values = found["w_scale"].astype(np.float64), found["w"].astype(np.float64)[:, 0, 0, 0]
    pair = np.clip(np.round(values / scale), -127, 127) * scale
    # Half a step, and what FP16 rounds a scale by.
    assert (np.abs(pair - values) <= scale / 2 + np.abs(values) * 2.0**-11).all()


@given(st.lists(magnitudes, min_size=1, max_size=6), st.floats(1e-6, 1e3), st.floats(1e-3, 1e3))
def test_a_bias_fits_into_32_bits_of_the_scales_product(channels, bias, magnitude):
    weights = np.array(channels, dtype=np.float64)[:, None].astype(np.float32)
    biases = np.full(len(weights), bias, dtype=np.float32)
    found = constants(quantized(weights, biases, halved=False, magnitude=magnitude))
    product = found["w_scale"].astype(np.float64) * found[f"{onnx_run.INPUT}_scale"].astype(np.float64)
    assert (biases / product < 2.0**31).all()


@pytest.mark.parametrize("halved", [False, True])
@pytest.mark.parametrize("exponent", [-3, -6, -9, -12, -30, -44])
def test_a_dead_channel_leaves_its_bias_and_its_neighbours(tmp_path, halved, exponent):
    chance = np.random.default_rng(0)
    weights, bias = chance.normal(size=(16, 16)), chance.normal(size=16).astype(np.float32) * 20
    weights[::2] *= 10.0**exponent
    weights = weights.astype(np.float32)
    images = chance.uniform(-3, 3, (2, 16, 4, 4)).astype(np.float32)
    expected = np.maximum(np.einsum("oi,nihw->nohw", weights, images) + bias[:, None, None], 0)
    largest = float(expected.max())
    onnx.save(quantized(weights, bias, halved=halved, then=largest), tmp_path / "x.onnx")
    found = onnx_run.run(tmp_path / "x.onnx", images)
    assert np.abs(found - expected).max() < 0.02 * largest


def test_with_onnx_runtime_s_own_32_bit_biases_an_fp32_file_keeps_them_too(tmp_path):
    weights, bias = np.full((4, 4), 1e-12, dtype=np.float32), np.array([1, 5, 20, 40], dtype=np.float32)
    onnx.save(quantized(weights, bias, halved=False, then=40.0), tmp_path / "x.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "x.onnx"), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {onnx_run.INPUT: np.ones((1, 4, 4, 4), dtype=np.float32)})
    assert found[0, :, 0, 0] == pytest.approx(bias, abs=40 / 127)
