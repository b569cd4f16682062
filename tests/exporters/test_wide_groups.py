"""Depthwise convolutions in wider groups: the same outputs, and nothing else of the network changed."""

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from exporters.wide_groups import widen_groups


def network(channels, group, kernel_px=3, stride=1) -> onnx.ModelProto:
    """One convolution with a bias, padded asymmetrically, of images (2, channels, 6, 6)."""
    random = np.random.default_rng(channels * group + kernel_px)
    shapes = {"weights": (channels, channels // group, kernel_px, kernel_px), "bias": (channels,)}
    constants = [
        numpy_helper.from_array(random.normal(size=shape).astype(np.float32), name) for name, shape in shapes.items()
    ]
    pads = [kernel_px // 2, kernel_px // 2 - 1, kernel_px // 2, kernel_px // 2]
    node = helper.make_node(
        "Conv", ["images", "weights", "bias"], ["y"], "conv", group=group, strides=[stride] * 2, pads=pads
    )
    values = [helper.make_tensor_value_info("images", TensorProto.FLOAT, (2, channels, 6, 6))]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    graph = helper.make_graph([node], "network", values, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def run(model) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    shape = session.get_inputs()[0].shape
    return session.run(None, {"images": np.random.default_rng(0).random(shape, dtype=np.float32)})[0]


@settings(max_examples=15)
@given(groups=st.integers(1, 6), width=st.sampled_from([4, 8]), px=st.sampled_from([3, 5, 7]), stride=st.integers(1, 2))
def test_wider_groups_compute_the_same(groups, width, px, stride):
    model = network(groups * width, groups * width, px, stride)
    expected = run(model)
    widen_groups(model, width)
    (conv,) = model.graph.node
    assert next(each.i for each in conv.attribute if each.name == "group") == groups
    assert tuple(model.graph.initializer[0].dims) == (groups * width, width, px, px)
    assert run(model) == pytest.approx(expected, abs=1e-4)


def test_convolutions_that_share_their_weights_are_widened_alike():
    model = network(8, 8)
    (first,) = model.graph.node
    second = onnx.NodeProto.FromString(first.SerializeToString())
    second.input[0], second.output[0], second.name = "y", "z", "second"
    model.graph.node.append(second)
    model.graph.output[0].name = "z"
    expected = run(model)
    widen_groups(model, 8)
    assert run(model) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("channels", "group"), [(12, 12), (16, 4), (16, 1)], ids=["no multiple", "grouped", "dense"])
def test_other_convolutions_stay_as_they_are(channels, group):
    model = network(channels, group)
    before = model.SerializeToString()
    widen_groups(model, 8)
    assert model.SerializeToString() == before
