"""Static INT8 for TFLite by ai-edge-quantizer: weights per channel, and what stays floating point."""

import re
from collections.abc import Sequence
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
    from ai_edge_quantizer import qtyping, quantizer, recipe

    (given,) = interpreter.get_signature_list()[_SIGNATURE]["inputs"]
    worker = quantizer.Quantizer(str(source))
    worker.load_quantization_recipe(recipe.static_wi8_ai8())
    for name in large_depthwise(interpreter, most_taps):
        # Its scope is the name of its output and a semicolon.
        worker.update_quantization_recipe(
            f"^{re.escape(name)};$", qtyping.TFLOperationName.DEPTHWISE_CONV_2D, algorithm_key="no_quantize"
        )
    ranges = worker.calibrate({_SIGNATURE: [{given: batch} for batch in shown]}, num_threads=2)
    worker.quantize(ranges | weight_ranges(interpreter, ranges)).export_model(str(path))


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
