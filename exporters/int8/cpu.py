"""INT8 for ONNX Runtime's CPU kernels, by its own quantizer."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporters.int8.kernels import saturates
from exporters.int8.ranges import Feed
from exporters.onnx_run import fixed_batch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def quantize_for_cpu(prepared: Path, path: Path, images: "NDArray[np.float32]", *, averaged: bool) -> None:
    """Write a prepared FP32 file in INT8 to `path`, its ranges from the images as `extremes` takes them."""
    from onnxruntime.quantization import quantize_static

    options, feed = {"CalibMovingAverage": averaged}, Feed(images, fixed_batch(prepared))
    quantize_static(str(prepared), str(path), feed, extra_options=options, **cpu_options())


def cpu_options() -> dict[str, Any]:
    """How `quantize_static` quantizes for the kernels of this CPU, whatever the ranges."""
    from onnxruntime.quantization import QuantType

    # Unsigned activations: behind a ReLU their range begins at zero, so that the convolution absorbs the ReLU.
    types = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
    return {"per_channel": True, "reduce_range": saturates()} | types


def weight_levels() -> int:
    """The steps of a weight on either side of zero: 7 bits where products of 8 bits are lost on this CPU."""
    return 64 if saturates() else 127
