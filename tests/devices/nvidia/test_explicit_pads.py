"""Explicit pads: the same logits by a graph in which no convolution pads two sides differently, as it really runs."""

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from devices.nvidia.explicit_pads import FOLDING, pad_explicitly, unequal_pads


def convolution(pads, strides, kernel_px, groups=1):
    """A network of one convolution of 4 channels in opset 18."""
    rank = len(strides)
    values = np.random.default_rng(0).normal(size=(4, 4 // groups, *[kernel_px] * rank)).astype(np.float32)
    node = helper.make_node("Conv", ["x", "w"], ["y"], "conv", pads=pads, strides=strides, group=groups)
    given, made = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * (rank + 2)) for name in "xy")
    graph = helper.make_graph([node], "one", [given], [made], [numpy_helper.from_array(values, "w")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def run(model, images, saved=None, **options):
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    settings.optimized_model_filepath = str(saved or "")
    content = model.SerializeToString()
    session = onnxruntime.InferenceSession(content, settings, providers=["CPUExecutionProvider"], **options)
    return session.run(None, {"x": images})[0]


@settings(max_examples=40)
@given(st.lists(st.integers(0, 3), min_size=4, max_size=4), st.sampled_from([1, 2]), st.sampled_from([1, 3, 5]))
def test_zeros_from_a_pad_are_the_convolutions_own(pads, stride, kernel_px):
    model = convolution(pads, [stride, stride], kernel_px)
    images = np.random.default_rng(1).normal(size=(2, 4, 9, 8)).astype(np.float32)
    expected = run(model, images)
    assert pad_explicitly(model) == (pads[:2] != pads[2:])
    assert not unequal_pads(model)
    onnx.checker.check_model(model, full_check=True)
    np.testing.assert_allclose(run(model, images), expected, rtol=1e-5, atol=1e-5)


def test_only_what_one_side_has_more_than_the_other_moves_into_the_pad():
    model = convolution([1, 2, 2, 1], [2, 2], 5, groups=4)
    assert pad_explicitly(model) == 1
    pad, conv = model.graph.node
    values = {tensor.name: numpy_helper.to_array(tensor).tolist() for tensor in model.graph.initializer}
    assert values[pad.input[1]] == [0, 0, 0, 1, 0, 0, 1, 0]
    assert next(list(attribute.ints) for attribute in conv.attribute if attribute.name == "pads") == [1, 1, 1, 1]
    assert pad_explicitly(model) == 0


def test_convolutions_of_equal_pads_and_other_nodes_stay_as_they_are():
    model = convolution([1, 1, 1, 1], [2, 2], 3)
    before = model.SerializeToString()
    assert pad_explicitly(model) == 0
    assert model.SerializeToString() == before


@pytest.mark.parametrize(("left_out", "folded"), [([], True), ([FOLDING], False)])
def test_onnx_runtime_folds_a_pad_back_unless_that_rule_is_left_out(left_out, folded, tmp_path):
    model = convolution([0, 0, 1, 1], [2, 2], 3)
    pad_explicitly(model)
    run(model, np.zeros((1, 4, 8, 8), np.float32), saved=tmp_path / "ran.onnx", disabled_optimizers=left_out)
    assert bool(unequal_pads(onnx.load(tmp_path / "ran.onnx"))) is folded
