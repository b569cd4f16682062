"""Symmetric Q/DQ pairs put into an FP32 ONNX graph: one scale a tensor for activations, one a channel for weights."""

from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any

from exporters.int8.placement import Placement

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVELS = 127  # -128 is left out, so that the range is symmetric
# A bias is an INT32 of input scale times weight scale where a runtime turns it into one, as ONNX Runtime does. Trained
# networks have dead channels, whose weights of 1e-10 beside a bias of 1 would make that integer overflow: their scales
# are raised until it fits, which costs their outputs 1e-9 of that bias.
MOST_IN_BIAS = 1 << 30


def insert(model: Any, placement: Placement, magnitudes: Mapping[str, float]) -> None:
    """Insert a pair before every input of `placement`, changing `model`; consumers of one tensor share its pair.

    `magnitudes` are the largest ones of each tensor by name. Weights stay floating-point constants with a pair of their
    own, since TensorRT 8.6 reads no INT8 constants.
    """
    import numpy as np
    from onnx import numpy_helper

    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    pairs: dict[str, str] = {}  # from a tensor's name to that of its dequantized copy
    nodes: list[Any] = []

    def paired(tensor: str, scales: "NDArray[np.float32]", axis: int | None) -> str:
        if tensor not in pairs:
            pairs[tensor] = f"{tensor}_dequantized"
            zeros = np.zeros(scales.shape, dtype=np.int8)
            names = [f"{tensor}_scale", f"{tensor}_zero_point"]
            graph.initializer.extend(map(numpy_helper.from_array, (scales, zeros), names))
            nodes.extend(_pair(tensor, pairs[tensor], names, axis))
        return pairs[tensor]

    for node in graph.node:
        inputs_scale = 0.0
        for index in placement.activations.get(node.name, ()):
            tensor = node.input[index]
            scale = _scales(np.array(magnitudes[tensor]))
            inputs_scale = float(scale) if index == 0 else inputs_scale
            node.input[index] = paired(tensor, scale, None)
        if node.name in placement.weights:
            index = placement.weights[node.name]
            weights, axis = numpy_helper.to_array(constants[node.input[index]]), channel_axis(node)
            bias = constants.get(node.input[2]) if len(node.input) > 2 and inputs_scale else None
            in_units = np.abs(numpy_helper.to_array(bias)) / inputs_scale if bias is not None else None
            node.input[index] = paired(node.input[index], channel_scales(weights, axis, in_units), axis)
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


def bypass(model: Any, nodes: Container[str]) -> None:
    """Take the pairs away from the inputs of the nodes of these names, changing `model`: they are floating point again.

    A pair that no node reads any more is removed.
    """
    graph = model.graph
    producers = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        for index, tensor in enumerate(node.input if node.name in nodes else ()):
            pair = producers.get(tensor)
            if pair is not None and pair.op_type == "DequantizeLinear":
                node.input[index] = producers[pair.input[0]].input[0]
    for kind in ("DequantizeLinear", "QuantizeLinear"):
        used = {tensor for node in graph.node for tensor in node.input}
        kept = [node for node in graph.node if node.op_type != kind or node.output[0] in used]
        del graph.node[:]
        graph.node.extend(kept)


def halve(model: Any) -> None:
    """Turn all FP32 of a Q/DQ graph into FP16, changing `model`: what a strongly typed network needs.

    Scales are at least FP16's smallest normal number, 6.1e-5: smaller ones lose digits, become 0 below 3e-8, and below
    1.5e-5 a kernel that multiplies by the reciprocal in FP16 would overflow. Weights whose channel needs a smaller one
    are off by 3.1e-5 at most, as FP16 rounds a weight of 0.1. Both nodes of a pair have the raised scale, so that the
    pair stays consistent.
    """
    import numpy as np
    from onnx import TensorProto, numpy_helper

    graph = model.graph
    smallest = float(np.finfo(np.float16).smallest_normal)
    scales = {node.input[1] for node in graph.node if node.op_type == "QuantizeLinear"}
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            values = numpy_helper.to_array(tensor)
            values = np.maximum(values, smallest) if tensor.name in scales else values
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), tensor.name))
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.elem_type = TensorProto.FLOAT16
    del graph.value_info[:]  # the types of before
    for opset in model.opset_import:
        if opset.domain == "":
            opset.version = max(19, opset.version)  # the first with FP16 scales


def _scales(magnitudes: "NDArray[np.float32]") -> "NDArray[np.float32]":
    import numpy as np

    # A magnitude of 1e-44, which a channel that weight decay killed may have, would give a scale of 0.
    least = np.finfo(np.float32).smallest_normal
    return np.where(magnitudes > 0, np.maximum(magnitudes / LEVELS, least), 1).astype(np.float32)


def channel_scales(
    weights: "NDArray[np.float32]", axis: int, bias: "NDArray[np.float32] | None"
) -> "NDArray[np.float32]":
    """The scale of each channel; `bias` is its bias's magnitude in units of the input's scale, where it has one."""
    import numpy as np

    others = tuple(other for other in range(weights.ndim) if other != axis)
    scales = _scales(np.abs(weights).max(axis=others))
    return scales if bias is None else np.maximum(scales, bias / MOST_IN_BIAS).astype(np.float32)


def channel_axis(node: Any) -> int:
    """Which axis of the weights of a Conv or Gemm is its output's channels."""
    if node.op_type == "Conv":
        return 0
    transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
    return 0 if transposed else 1


def _pair(tensor: str, dequantized: str, scale: list[str], axis: int | None) -> list[Any]:
    from onnx import helper

    quantized, attributes = f"{tensor}_quantized", {} if axis is None else {"axis": axis}
    return [
        helper.make_node("QuantizeLinear", [tensor, *scale], [quantized], f"{tensor}_quantize", **attributes),
        helper.make_node("DequantizeLinear", [quantized, *scale], [dequantized], f"{tensor}_dequantize", **attributes),
    ]
