"""An FP32 ONNX file as it is quantized."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Nodes whose further inputs are looked up among the initializers: weights, biases and axes.
_WITH_CONSTANTS = ("Conv", "Gemm", "MatMul", "ReduceMean")


def prepare(source: Path, path: Path) -> None:
    """Write an FP32 ONNX file as it is quantized.

    Turns means over height and width into global poolings, which both runtimes have INT8 kernels for. Weights that lie
    in nodes, as in some files from outside, become initializers, as the exporter's are.
    """
    import onnx
    from onnx import helper

    model = onnx.load(str(source))
    _lift_constants(model.graph)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[Any] = []
    for node in model.graph.node:
        if node.op_type != "ReduceMean" or not _is_over_pixels(node, constants):
            nodes.append(node)
            continue
        keeps = next((attribute.i for attribute in node.attribute if attribute.name == "keepdims"), 1)
        pooled = node.output[0] if keeps else f"{node.output[0]}_pooled"
        nodes.append(helper.make_node("GlobalAveragePool", [node.input[0]], [pooled], node.name))
        if not keeps:
            nodes.append(helper.make_node("Flatten", [pooled], [node.output[0]], f"{node.name}_flatten"))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    used = {tensor for node in nodes for tensor in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    onnx.save(model, str(path))


def _lift_constants(graph: Any) -> None:
    wanted = {name for node in graph.node if node.op_type in _WITH_CONSTANTS for name in node.input[1:]}
    nodes: list[Any] = []
    for node in graph.node:
        value = next((attribute.t for attribute in node.attribute if attribute.name == "value"), None)
        if node.op_type != "Constant" or node.output[0] not in wanted or value is None:
            nodes.append(node)
            continue
        tensor = graph.initializer.add()
        tensor.CopyFrom(value)
        tensor.name = node.output[0]
    del graph.node[:]
    graph.node.extend(nodes)


def _is_over_pixels(node: Any, constants: Mapping[str, Any]) -> bool:
    """Whether a mean is over height and width; its axes are an input since opset 18, an attribute before."""
    from onnx import numpy_helper

    if len(node.input) > 1:
        axes = numpy_helper.to_array(constants[node.input[1]]) if node.input[1] in constants else ()
    else:
        axes = next((attribute.ints for attribute in node.attribute if attribute.name == "axes"), ())
    return {int(axis) % 4 for axis in axes} == {2, 3}
