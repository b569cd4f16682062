"""The range of every activation over calibration images, from which an integer format's scales are computed."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from exporters.in_batches import filled_batches
from exporters.onnx_run import INPUT, fixed_batch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The kinds of nodes whose inputs may be quantized, and those of squeeze-excite beside its convolutions.
QUANTIZED = ("Conv", "Gemm", "Add")
POOLED = ("Mul", "GlobalAveragePool")
_PIXELS_AT_ONCE = 4 * 224 * 224  # calibration keeps the activations of a batch in memory


class Feed:
    """Images in small batches, as onnxruntime.quantization reads them; in batches of `fixed` where that is given."""

    def __init__(self, images: "NDArray[np.float32]", fixed: int | None = None) -> None:
        self._batches = batches(images, fixed)

    def get_next(self) -> "dict[str, NDArray[np.float32]] | None":
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: batch}


def batches(images: "NDArray[np.float32]", fixed: int | None = None) -> "Iterator[NDArray[np.float32]]":
    """Images (N, 3, H, W) in batches of at most four images of 224 px, or one that is larger than those.

    In batches of `fixed` where that is given, the last of which is filled with its last image.
    """
    if fixed is not None:
        return (filled for filled, _ in filled_batches(images, fixed))
    at_once = max(1, _PIXELS_AT_ONCE // (images.shape[2] * images.shape[3]))
    return (images[start : start + at_once] for start in range(0, len(images), at_once))


def largest_magnitudes(
    source: Path, images: "NDArray[np.float32]", *, averaged: bool, kinds: tuple[str, ...] = QUANTIZED
) -> dict[str, float]:
    """The largest magnitude of every input and output of the nodes of these kinds of an ONNX file.

    `averaged` is as for `extremes`. Leaves a working file beside the source.
    """
    found = extremes(source, images, averaged=averaged, kinds=kinds)
    return {tensor: max(abs(lowest), abs(highest)) for tensor, (lowest, highest) in found.items()}


def extremes(
    source: Path, images: "NDArray[np.float32]", *, averaged: bool, kinds: tuple[str, ...] = ()
) -> dict[str, tuple[float, float]]:
    """The least and the largest value of every input and output of the nodes of these kinds of an ONNX file, or of all.

    `averaged` gives the means over the batches of their extremes instead, which one image with large activations
    widens less. Leaves a working file beside the source.
    """
    from onnxruntime.quantization import CalibrationMethod
    from onnxruntime.quantization.calibrate import create_calibrator

    calibrator = create_calibrator(
        str(source),
        list(kinds),
        augmented_model_path=str(source.with_suffix(".calibrated.onnx")),
        calibrate_method=CalibrationMethod.MinMax,
        use_external_data_format=False,
        extra_options={"moving_average": averaged},
    )
    calibrator.collect_data(Feed(images, fixed_batch(source)))
    ranges = calibrator.compute_data().items()
    return {tensor: (float(data.range_value[0].min()), float(data.range_value[1].max())) for tensor, data in ranges}
