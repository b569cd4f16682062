"""A build that lacks an implementation is tried once more, with depthwise convolutions before SiLU out of INT8."""

from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from exporters.int8.depthwise_silu import release_depthwise_silu
from exporters.int8.insertion import insert
from exporters.int8.placement import Rules, place_qdq
from exporters.tensorrt_builder import Messages, NoImplementationError, build_or_release, serialize
from models import UserError

LACKING = "Error Code 10: Could not find any implementation for node w + conv + PWN(sigmoid, mul)."


def block(number, activation) -> list:
    """A depthwise convolution of x or of the block before, and what follows it."""
    x, conv, y = f"x{number}", f"conv{number}", f"x{number + 1}"
    nodes = [helper.make_node("Conv", [x, f"w{number}"], [conv], conv, group=16, pads=[1, 1, 1, 1])]
    if activation == "Relu":
        return [*nodes, helper.make_node("Relu", [conv], [y], f"relu{number}")]
    sigmoid = helper.make_node("Sigmoid", [conv], [f"gate{number}"], f"sigmoid{number}")
    return [*nodes, sigmoid, helper.make_node("Mul", [conv, f"gate{number}"], [y], f"mul{number}")]


@pytest.fixture
def quantized(tmp_path):
    """Writes blocks of depthwise convolutions with the activations that are named, in INT8; its path."""

    def write(*activations):
        nodes = [node for number, activation in enumerate(activations) for node in block(number, activation)]
        weights = np.random.default_rng(0).normal(size=(16, 1, 3, 3)).astype(np.float32)
        constants = [numpy_helper.from_array(weights, f"w{number}") for number in range(len(activations))]
        ends = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 16, 8, 8))
            for name in ("x0", f"x{len(activations)}")
        ]
        graph = helper.make_graph(nodes, "network", ends[:1], ends[1:], constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        insert(model, place_qdq(model.graph, Rules()), {f"x{number}": 1.0 for number in range(len(activations))})
        onnx.save(model, tmp_path / "source.onnx")
        return tmp_path / "source.onnx"

    return write


def quantized_convolutions(path) -> list[str]:
    graph = onnx.load(path).graph
    dequantized = {node.output[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    return [node.name for node in graph.node if node.op_type == "Conv" and set(node.input) <= dequantized]


def test_those_before_silu_are_released_and_others_stay(quantized, tmp_path):
    source, released = quantized("SiLU", "Relu", "SiLU"), tmp_path / "released.onnx"
    assert quantized_convolutions(source) == ["conv0", "conv1", "conv2"]
    assert release_depthwise_silu(source, released) == 2
    assert quantized_convolutions(released) == ["conv1"]
    kinds = [node.op_type for node in onnx.load(released).graph.node]
    assert kinds.count("QuantizeLinear") == kinds.count("DequantizeLinear") == 2  # conv1's input and its weights
    onnx.checker.check_model(onnx.load(released), full_check=True)


def test_where_there_are_none_nothing_is_written(quantized, tmp_path):
    assert release_depthwise_silu(quantized("Relu"), tmp_path / "released.onnx") == 0
    assert not (tmp_path / "released.onnx").exists()


def lacking() -> NoImplementationError:
    return NoImplementationError("can't build", found=LACKING, fix="see above")


def test_a_build_that_lacks_an_implementation_is_tried_once_more_and_says_so(quantized, tmp_path):
    tried = []

    def build(path):
        tried.append(quantized_convolutions(path))
        if "conv0" in tried[-1]:
            raise lacking()
        return b"plan"

    built, remark = build_or_release(build, quantized("SiLU", "Relu"), tmp_path / "x.plan")
    assert built == b"plan"
    assert tried == [["conv0", "conv1"], ["conv1"]]
    assert remark == f"1 depthwise convolutions before SiLU are not INT8: {LACKING}"


@pytest.mark.parametrize(
    ("activation", "error", "builds"),
    [("Relu", lacking(), 1), ("SiLU", lacking(), 2), ("SiLU", UserError("no", found="x", fix="y"), 1)],
    ids=["nothing to release", "no help", "another reason"],
)
def test_any_other_failure_stays_one(quantized, tmp_path, activation, error, builds):
    tried = []

    def build(path):
        tried.append(path)
        raise error

    with pytest.raises(UserError) as raised:
        build_or_release(build, quantized(activation), tmp_path / "x.plan")
    assert raised.value is error
    assert len(tried) == builds


@pytest.mark.parametrize(("message", "kind"), [(LACKING, NoImplementationError), ("Error Code 9: no", UserError)])
def test_the_builders_message_tells_which_it_is(message, kind, capsys):
    builder = SimpleNamespace(build_serialized_network=lambda network, config: None)
    with pytest.raises(UserError) as raised:
        serialize(builder, None, None, Messages(errors=["before", message]), "can't build it")
    assert type(raised.value) is kind
    assert capsys.readouterr().err == f"before\n{message}\n"


def test_what_is_built_at_once_has_no_remark(quantized, tmp_path):
    assert build_or_release(lambda path: b"plan", quantized("SiLU"), tmp_path / "x.plan") == (b"plan", None)
