"""The convolutions of an ONNX file as networks of their own, by kind: depthwise or dense, in INT8 or not."""

from pathlib import Path
from typing import Any

import onnx
from onnx import helper, shape_inference

from exporters.int8.placement import is_depthwise


def convolutions(onnx_file: Path, folder: Path) -> dict[str, list[Path]]:
    """A file in `folder` for each convolution of a network of fixed shapes, with the pairs in front of it."""
    model = shape_inference.infer_shapes(onnx.load(str(onnx_file)))
    producers = {output: node for node in model.graph.node for output in node.output}
    types = {value.name: value.type.tensor_type for value in (*model.graph.value_info, *model.graph.input)}
    found: dict[str, list[Path]] = {}
    for number, conv in enumerate(node for node in model.graph.node if node.op_type == "Conv"):
        nodes = [*_pairs(conv, producers), conv]
        kind = ("depthwise" if is_depthwise(conv) else "dense") + (" INT8" if len(nodes) > 1 else "")
        path = folder / f"layer-{number}.onnx"
        onnx.save(_alone(model, nodes, types), str(path))
        found.setdefault(kind, []).append(path)
    return found


def _pairs(conv: Any, producers: dict[str, Any]) -> list[Any]:
    """The quantization of a convolution's inputs, in its order."""
    pairs = []
    for tensor in conv.input[:2]:
        node = producers.get(tensor)
        if node is not None and node.op_type == "DequantizeLinear":
            pairs += [producers[node.input[0]], node]
    return pairs


def _alone(model: Any, nodes: list[Any], types: dict[str, Any]) -> Any:
    """A model of these nodes, the last of which gives its output."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    made = {output for node in nodes for output in node.output}
    read = dict.fromkeys(tensor for node in nodes for tensor in node.input if tensor and tensor not in made)
    inputs = [_value(tensor, types) for tensor in read if tensor not in constants]
    used = [constants[tensor] for tensor in read if tensor in constants]
    graph = helper.make_graph(nodes, "layer", inputs, [_value(nodes[-1].output[0], types)], used)
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def _value(tensor: str, types: dict[str, Any]) -> Any:
    shape = [dim.dim_value for dim in types[tensor].shape.dim]
    return helper.make_tensor_value_info(tensor, types[tensor].elem_type, shape)
