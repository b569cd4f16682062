"""Corrected biases: the mean of every channel is what it was before the weights were rounded."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from exporters.int8 import cpu, kernels
from exporters.int8.biases import correct_biases
from exporters.int8.insertion import channel_scales
from exporters.onnx_run import INPUT, OUTPUT


def network(node, weights, *, bias=True):
    """A file of one layer."""
    constants = [numpy_helper.from_array(weights.astype(np.float32), "weights")]
    if bias:
        count = weights.shape[1] if node.op_type == "Gemm" and not node.attribute else weights.shape[0]
        constants.append(numpy_helper.from_array(np.arange(count, dtype=np.float32), "bias"))
    nodes = [helper.make_node("Flatten", [INPUT], ["flat"]), node] if node.op_type == "Gemm" else [node]
    given = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [None] * 4)
    found = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [None] * weights.ndim)
    graph = helper.make_graph(nodes, "one", [given], [found], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def layer(kind, **attributes):
    given = "flat" if kind == "Gemm" else INPUT
    return helper.make_node(kind, [given, "weights", "bias"], [OUTPUT], "layer", **attributes)


def rounded(model, axis, levels):
    (weights,) = (tensor for tensor in model.graph.initializer if tensor.name == "weights")
    values = numpy_helper.to_array(weights)
    shape = [-1 if each == axis else 1 for each in range(values.ndim)]
    steps = (channel_scales(values, axis, None) * 127 / levels).reshape(shape)
    weights.CopyFrom(numpy_helper.from_array((np.round(values / steps) * steps).astype(np.float32), "weights"))
    return model


def means(model, images):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (values,) = session.run(None, {INPUT: images})
    return values.mean(axis=tuple(each for each in range(values.ndim) if each != 1), dtype=np.float64)


@pytest.mark.parametrize("levels", [127, 64, 7])
@pytest.mark.parametrize(
    ("node", "weights", "axis"),
    [
        (layer("Conv"), (8, 6, 1, 1), 0),
        (layer("Conv", group=6), (6, 1, 1, 1), 0),
        (layer("Conv", group=3), (9, 2, 1, 1), 0),
        (layer("Gemm", transB=1), (10, 6), 0),
        (layer("Gemm"), (6, 10), 1),
    ],
    ids=["dense", "depthwise", "groups", "transposed", "matrix"],
)
def test_rounding_moves_the_mean_of_no_channel_any_more(tmp_path, node, weights, axis, levels):
    random = np.random.default_rng(0)
    values = random.uniform(0.1, 1, weights)
    px = 1 if node.op_type == "Gemm" else 4
    images = random.uniform(0, 3, (5, 6, px, px)).astype(np.float32)
    model = network(node, values)
    onnx.save(model, tmp_path / "source.onnx")
    correct_biases(tmp_path / "source.onnx", tmp_path / "corrected.onnx", images, levels=levels)
    expected = means(model, images)
    found = means(rounded(onnx.load(tmp_path / "corrected.onnx"), axis, levels), images)
    assert found == pytest.approx(expected, abs=1e-5)
    if len(weights) == 2 or weights[1] > 1:  # the one weight of a channel is its own scale
        moved = means(rounded(network(node, values), axis, levels), images)
        assert np.abs(moved - expected).max() > 1e-4


@pytest.mark.parametrize(("rounded", "same"), [(["layer"], False), (["another"], True), (None, False)])
def test_a_layer_whose_weights_are_not_rounded_stays_as_it_is(tmp_path, rounded, same):
    model = network(layer("Conv"), np.random.default_rng(0).uniform(0.1, 1, (8, 6, 1, 1)))
    onnx.save(model, tmp_path / "source.onnx")
    images = np.ones((2, 6, 4, 4), dtype=np.float32)
    correct_biases(tmp_path / "source.onnx", tmp_path / "corrected.onnx", images, rounded=rounded)
    assert (onnx.load(tmp_path / "corrected.onnx") == model) is same


def test_a_layer_without_a_bias_stays_as_it_is(tmp_path):
    node = helper.make_node("Conv", [INPUT, "weights"], [OUTPUT], "layer")
    model = network(node, np.random.default_rng(0).uniform(0.1, 1, (8, 6, 1, 1)), bias=False)
    onnx.save(model, tmp_path / "source.onnx")
    images = np.ones((2, 6, 4, 4), dtype=np.float32)
    correct_biases(tmp_path / "source.onnx", tmp_path / "corrected.onnx", images)
    assert onnx.load(tmp_path / "corrected.onnx") == model


@pytest.mark.parametrize(("lost", "levels"), [(True, 64), (False, 127)])
def test_weights_have_seven_bits_where_products_of_eight_are_lost(monkeypatch, lost, levels):
    monkeypatch.setattr(cpu, "saturates", lambda: lost)
    assert cpu.weight_levels() == levels
    assert cpu.cpu_options()["reduce_range"] is lost


def test_seven_bits_are_exact_on_every_processor_and_eight_where_it_adds_four_products_at_once():
    assert kernels.is_exact(64)
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and "vnni" in cpuinfo.read_text():
        assert not kernels.saturates()
