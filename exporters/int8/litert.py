"""Static INT8 for TFLite by ai-edge-quantizer: weights per channel, and what stays floating point."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporters.int8.bias_room import weight_ranges

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SIGNATURE = "serving_default"

# XNNPACK has depthwise kernels of up to 25 taps, on x86, ARM and ARM64 alike (src/configs/dwconv-config.c: 3, 9 and 25
# for 8-bit integers with weights per channel, 3, 4, 9 and 25 for FP32). A larger window becomes an indirect matrix
# product for each channel alone (select_microkernel_type in src/operators/convolution-nhwc.c), with one column of
# output. There the integer kernels, but for some of ARM's, pad the single input channel to 2, 4 or 8 too, and the FP32
# ones mostly don't (src/configs/gemm-config.c). docs/phone.md has what was measured, on x86 alone.
_MOST_TAPS = 25
_MATRIX_AXES = 2


def quantize(
    interpreter: Any,
    source: Path,
    path: Path,
    shown: "Sequence[NDArray[np.float32]]",
    most_taps: int = _MOST_TAPS,
) -> None:
    """Write the FP32 file `source` as an INT8 one to `path`, calibrated on the batches `shown` (N, H, W, C).

    `interpreter` is one of `source`. Depthwise convolutions of more than `most_taps` stay FP32.
    """
    worker = quantizer_of(interpreter, source, most_taps)
    ranges = largest_ranges(worker, source, shown)
    with quantizing_large_weights():
        worker.quantize(ranges | weight_ranges(interpreter, ranges)).export_model(str(path))


@contextmanager
def quantizing_large_weights() -> Iterator[None]:
    """Have ai-edge-quantizer take weights of more than 32 MiB of which each output channel has a scale.

    Its version 0.10 gives such weights (N, H, W, C) two axes and leaves the scales (N, 1, 1, 1) as they are, which it
    then can't spread over them. As matrices (N, H*W*C) with scales (N, 1) they are quantized as smaller ones are.
    """
    from ai_edge_quantizer.algorithms.uniform_quantize import uniform_quantize_tensor as quantizing

    theirs = quantizing.uniform_quantize

    def as_matrix(weights: "NDArray[np.float32]", params: Any, *further: Any, **named: Any) -> Any:
        channels = len(weights) if weights.ndim > _MATRIX_AXES else 0
        if params.quantized_dimension != 0 or params.scale.shape != (channels, *[1] * (weights.ndim - 1)):
            return theirs(weights, params, *further, **named)
        column = (channels, 1)
        flat = replace(params, scale=params.scale.reshape(column), zero_point=params.zero_point.reshape(column))
        return theirs(weights.reshape(channels, -1), flat, *further, **named).reshape(weights.shape)

    quantizing.uniform_quantize = as_matrix
    try:
        yield
    finally:
        quantizing.uniform_quantize = theirs


def largest_ranges(worker: Any, source: Path, shown: "Sequence[NDArray[np.float32]]") -> dict[str, Any]:
    """The least and the largest value of each activation of an FP32 file over all batches, as the quantizer takes them.

    The quantizer's own calibration is a moving average, which depends on the order of the batches and keeps next to
    nothing of all but the last 60 or so: in a folder of classes, of the last ones.
    """
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(source), num_threads=2, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    (given,) = interpreter.get_input_details()
    ranges = moving_ranges(worker, interpreter, shown[:1])
    tensors = {
        each["index"]: ranges[each["name"]] for each in interpreter.get_tensor_details() if each["name"] in ranges
    }
    for found in tensors.values():
        found["min"], found["max"] = np.full_like(found["min"], np.inf), np.full_like(found["max"], -np.inf)
    for batch in shown:
        interpreter.set_tensor(given["index"], batch)
        interpreter.invoke()
        for index, found in tensors.items():
            values = interpreter.get_tensor(index)
            # A pooling of maxima is padded with minus infinity, which the least value stands for as well.
            if not np.isfinite(lowest := values.min()):
                lowest = values.min(where=np.isfinite(values), initial=np.inf)
            found["min"] = np.minimum(found["min"], lowest)
            found["max"] = np.maximum(found["max"], values.max())
    return ranges


def moving_ranges(worker: Any, interpreter: Any, shown: "Sequence[NDArray[np.float32]]") -> dict[str, Any]:
    """What the quantizer's own calibration gives: a moving average of the batches' ranges, a tensor's by its name."""
    (given,) = interpreter.get_signature_list()[_SIGNATURE]["inputs"]
    ranges: dict[str, Any] = worker.calibrate({_SIGNATURE: [{given: batch} for batch in shown]}, num_threads=2)
    return ranges


def quantizer_of(interpreter: Any, source: Path, most_taps: int = _MOST_TAPS) -> Any:
    """A quantizer of the FP32 file `source` with the recipe set: `quantize(ranges)` makes the INT8 file."""
    from ai_edge_quantizer import qtyping, quantizer, recipe

    worker = quantizer.Quantizer(str(source))
    worker.load_quantization_recipe(recipe.static_wi8_ai8())
    for name in large_depthwise(interpreter, most_taps):
        # Its scope is the name of its output and a semicolon.
        worker.update_quantization_recipe(
            f"^{re.escape(name)};$", qtyping.TFLOperationName.DEPTHWISE_CONV_2D, algorithm_key="no_quantize"
        )
    return worker


def large_depthwise(interpreter: Any, most_taps: int = _MOST_TAPS) -> list[str]:
    """The names of the outputs of depthwise convolutions of more taps than that."""
    tensors = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    names = []
    for operator in interpreter._get_ops_details():
        if operator["op_name"] == "DEPTHWISE_CONV_2D":
            _, height_px, width_px, _ = tensors[int(operator["inputs"][1])]["shape"]
            if height_px * width_px > most_taps:
                names.append(str(tensors[int(operator["outputs"][0])]["name"]))
    return names
