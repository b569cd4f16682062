"""The ranges that calibration methods give each activation, by ONNX Runtime's own collector, for ONNX and TFLite files.

Histograms are collected one batch at a time, since the collectors of ONNX Runtime keep all activations of a call.
"""

import contextlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporters.int8.ranges import Feed, batches, extremes
from exporters.tflite_run import channels_last

Ranges = dict[str, tuple[float, float]]  # the least and the largest value that a tensor's integers stand for

LARGEST, AVERAGED, ENTROPY, LEAST_ERROR = "largest", "averaged", "entropy", "least error"
PERCENTILES = {f"{percentile} %": percentile for percentile in (99.9, 99.99, 99.999)}
METHODS = (LARGEST, AVERAGED, *PERCENTILES, ENTROPY, LEAST_ERROR)
# Bins of a tensor's first batch, from minus to plus its largest magnitude; entropy merges them into 128 levels. With
# its own default of 128 bins ONNX Runtime's entropy has one candidate, the largest magnitude. More take minutes.
_BINS, _LEVELS = 512, 128
_FRACTIONS = np.linspace(0.2, 1, 81)  # of the largest magnitude, tried for the least error


def onnx_histograms(source: Path, images: NDArray[np.float32]) -> Any:
    """ONNX Runtime's collector with the histogram of every tensor of an ONNX file over the images."""
    from onnxruntime.quantization import CalibrationMethod
    from onnxruntime.quantization.calibrate import create_calibrator

    calibrator = create_calibrator(
        str(source),
        augmented_model_path=str(source.with_suffix(".histograms.onnx")),
        calibrate_method=CalibrationMethod.Entropy,
        extra_options={"num_bins": _BINS, "num_quantized_bins": _LEVELS},
    )
    with _quiet():
        for batch in batches(images):
            calibrator.collect_data(Feed(batch))
    return calibrator.collector


def tflite_histograms(source: Path, images: NDArray[np.float32], names: Mapping[str, object]) -> Any:
    """The same collector with the histograms of these tensors of a TFLite file of batch 1."""
    from ai_edge_litert.interpreter import Interpreter
    from onnxruntime.quantization.calibrate import HistogramCollector

    interpreter = Interpreter(str(source), num_threads=1, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    (given,) = interpreter.get_input_details()
    tensors = {each["name"]: each["index"] for each in interpreter.get_tensor_details() if each["name"] in names}
    collector = HistogramCollector("entropy", False, _BINS, _LEVELS, 99.999, "same")
    with _quiet():
        for image in channels_last(images):
            interpreter.set_tensor(given["index"], image[None])
            interpreter.invoke()
            collector.collect({name: interpreter.get_tensor(index) for name, index in tensors.items()})
    return collector


def averaged_extremes(source: Path, images: NDArray[np.float32]) -> Ranges:
    """The means of the batches' extremes of every tensor of an ONNX file."""
    return extremes(source, images, averaged=True)


def ranges_of(collector: Any, methods: tuple[str, ...], *, symmetric: bool) -> Iterator[tuple[str, Ranges]]:
    """Each method that histograms are enough for, with the ranges that it gives; `symmetric` is how they are used."""
    histograms = collector.histogram_dict
    for method in methods:
        if method == LARGEST:
            yield method, {name: (float(found[2]), float(found[3])) for name, found in histograms.items()}
        elif method == LEAST_ERROR:
            yield method, {name: least_error(found, symmetric=symmetric) for name, found in histograms.items()}
        elif method == ENTROPY:
            with _quiet():
                yield method, _bounds(collector.compute_entropy())
        elif method in PERCENTILES:
            collector.percentile = PERCENTILES[method]
            with _quiet():
                yield method, _bounds(collector.compute_percentile())


def least_error(histogram: tuple[Any, ...], *, symmetric: bool) -> tuple[float, float]:
    """The range whose 256 values lie closest to a tensor's, by the squared error of rounding and cutting off.

    `histogram` is the collector's: counts, edges, least and largest value, largest magnitude.
    """
    counts, edges, least, largest, magnitude = histogram
    values = (edges[:-1] + edges[1:]) / 2
    rounded = counts * (np.abs(values) > (edges[1] - edges[0]))  # 0 is exact, as most values behind a ReLU are
    candidates = []
    for limit in _FRACTIONS * magnitude:
        low, high = max(float(least), -limit), min(float(largest), limit)
        step = (2 * max(-low, high) if symmetric else high - low) / 255
        cut = np.maximum(0, np.maximum(low - values, values - high))
        error = float((counts * cut**2).sum()) + float(rounded[cut == 0].sum()) * step**2 / 12
        candidates.append((error, low, high))
    _, low, high = min(candidates)
    return low, high


def _bounds(found: Mapping[str, tuple[Any, ...]]) -> Ranges:
    return {name: (float(each[0]), float(each[1])) for name, each in found.items()}


def _quiet() -> contextlib.AbstractContextManager[object]:
    """Keep what ONNX Runtime's collectors print from the terminal."""
    return contextlib.redirect_stdout(io.StringIO())
