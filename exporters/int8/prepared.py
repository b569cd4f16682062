"""An FP32 ONNX file as it is quantized."""

from pathlib import Path
from typing import Any


def prepare(source: Path, path: Path) -> None:
    """Write an FP32 ONNX file as it is quantized.

    Turns means over height and width into global poolings, which both runtimes have INT8 kernels for.
    """
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(str(source))
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[Any] = []
    for node in model.graph.node:
        axes = constants.get(node.input[1]) if node.op_type == "ReduceMean" else None
        if axes is None or {int(axis) % 4 for axis in numpy_helper.to_array(axes)} != {2, 3}:
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
