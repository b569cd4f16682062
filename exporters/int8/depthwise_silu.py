"""Depthwise convolutions with a SiLU behind them, EfficientNet's own block, out of INT8: a builder may lack them.

TensorRT 8.5 had no implementation of this pattern with Q/DQ, while a ReLU instead of the SiLU, or a dense convolution,
was no trouble (NVIDIA/TensorRT#3385).
"""

from pathlib import Path
from typing import Any

from exporters.int8.insertion import bypass
from exporters.int8.placement import is_depthwise


def release_depthwise_silu(source: Path, path: Path) -> int:
    """Write a Q/DQ ONNX file with those convolutions in floating point to `path`; returns how many these are.

    Writes nothing where there are none.
    """
    import onnx

    model = onnx.load(str(source))
    consumers: dict[str, list[Any]] = {}
    for node in model.graph.node:
        for tensor in node.input:
            consumers.setdefault(tensor, []).append(node)
    quantized = {node.output[0] for node in model.graph.node if node.op_type == "DequantizeLinear"}
    found = {
        node.name
        for node in model.graph.node
        if is_depthwise(node)
        and quantized.intersection(node.input)
        and {each.op_type for each in consumers.get(node.output[0], ())} == {"Sigmoid", "Mul"}
    }
    if found:
        bypass(model, found)
        onnx.save(model, str(path))
    return len(found)
