"""Biases that take out the mean shift which rounded weights cause, channel by channel.

A rounded weight is off in the same direction for every input: behind a ReLU, where inputs are positive, the errors of a
channel add up to a shift of its output, which the bias can take back at no cost in time. Source: Nagel et al.,
"Data-free quantization through weight equalization and bias correction", ICCV 2019, here with means over images.
"""

from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporters.int8.insertion import LEVELS, channel_axis, channel_scales
from exporters.int8.ranges import batches
from exporters.onnx_run import INPUT, fixed_size

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def correct_biases(
    source: Path,
    path: Path,
    images: "NDArray[np.float32]",
    *,
    levels: int = LEVELS,
    rounded: Container[str] | None = None,
) -> None:
    """Write an FP32 ONNX file to `path` with its biases corrected for weights that are about to be rounded.

    Weights of the nodes `rounded`, or of all, are rounded by channel, symmetrically, to `levels` steps on either side
    of zero. Other layers, and those without a bias, stay as they are.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(source))
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    layers = [
        node
        for node in model.graph.node
        if _has_own_bias(node, constants) and (rounded is None or node.name in rounded)
    ]
    means = _input_means(model, [node.input[0] for node in layers], images)
    for node in layers:
        weights, bias = (constants[name] for name in node.input[1:3])
        shift = _mean_shift(numpy_helper.to_array(weights), channel_axis(node), means[node.input[0]], levels)
        bias.CopyFrom(numpy_helper.from_array((numpy_helper.to_array(bias) - shift).astype("float32"), bias.name))
    onnx.save(model, str(path))


def _has_own_bias(node: Any, constants: dict[str, Any]) -> bool:
    return node.op_type in {"Conv", "Gemm"} and len(node.input) > 2 and {*node.input[1:3]} <= constants.keys()


def _mean_shift(
    weights: "NDArray[np.float32]", axis: int, means: "NDArray[np.float64]", levels: int
) -> "NDArray[np.float64]":
    """How far rounding the weights moves the mean of each output channel, given the mean of each input channel."""
    import numpy as np

    moved = np.moveaxis(weights, axis, 0).astype(np.float64)
    steps = channel_scales(weights, axis, None) * LEVELS / levels
    steps = steps.reshape(-1, *[1] * (weights.ndim - 1))
    errors = (np.round(moved / steps) * steps - moved).reshape(*moved.shape[:2], -1).sum(axis=2)  # (out, in / groups)
    groups = len(means) // errors.shape[1]
    by_group = errors.reshape(groups, -1, errors.shape[1]) * means.reshape(groups, 1, -1)
    shift: NDArray[np.float64] = by_group.sum(axis=2).reshape(-1)
    return shift


def _input_means(model: Any, names: list[str], images: "NDArray[np.float32]") -> "dict[str, NDArray[np.float64]]":
    """The mean of each channel of these tensors over images and pixels."""
    import numpy as np
    import onnx
    import onnxruntime

    inner = [name for name in dict.fromkeys(names) if name != INPUT]
    shown = onnx.ModelProto.FromString(model.SerializeToString())
    shown.graph.output.extend(map(onnx.helper.make_empty_tensor_value_info, inner))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(shown.SerializeToString(), options, providers=["CPUExecutionProvider"])
    sums: dict[str, Any] = dict.fromkeys((INPUT, *inner), 0.0)
    fixed, counted = fixed_size(session.get_inputs()[0].shape[0]), 0
    for batch in batches(images, fixed):
        counted += len(batch)
        for name, values in zip(
            (INPUT, *inner), (batch, *(session.run(inner, {INPUT: batch}) if inner else ())), strict=True
        ):
            by_channel = values.reshape(*values.shape[:2], -1).mean(axis=2, dtype=np.float64)
            sums[name] = sums[name] + by_channel.sum(axis=0)
    return {name: total / counted for name, total in sums.items()}
