"""Small ONNX files as users bring them."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CLASSES = 5


def onnx_file(
    path: Path,
    *,
    batch: int | str = "n",
    side_px: int | str = 16,
    channels: int = 3,
    names: tuple[str, str] = ("x", "y"),
    opset: int = 17,
    kind: int = TensorProto.FLOAT,
    domain: str = "",
    also: tuple[str, ...] = (),
    weights_as_inputs: bool = False,
) -> Path:
    """A convolution, a pooling and a linear layer, without names.

    `also` are further inputs, `domain` that of the first operator.
    """
    given, produced = names
    random, dtype = np.random.default_rng(0), helper.tensor_dtype_to_np_dtype(kind)
    constants = {
        "w": random.standard_normal((16, channels, 3, 3)).astype(dtype),
        "b": np.zeros(16, dtype),
        "fc": random.standard_normal((16, CLASSES)).astype(dtype),
    }
    nodes = [
        helper.make_node("Conv", [given, "w", "b"], ["h1"], domain=domain),
        helper.make_node("Relu", ["h1"], ["h2"]),
        helper.make_node("GlobalAveragePool", ["h2"], ["h3"]),
        helper.make_node("Flatten", ["h3"], ["h4"]),
        helper.make_node("MatMul", ["h4", "fc"], [produced]),
    ]
    inputs = [helper.make_tensor_value_info(given, kind, [batch, channels, side_px, side_px])]
    inputs += [helper.make_tensor_value_info(name, kind, [batch, 3]) for name in also]
    if weights_as_inputs:
        inputs += [helper.make_tensor_value_info(name, kind, value.shape) for name, value in constants.items()]
    graph = helper.make_graph(
        nodes,
        "network",
        inputs,
        [helper.make_tensor_value_info(produced, kind, [batch, CLASSES])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    return path
