"""INT8 files with given ranges, and files as functions of images: what `studies.int8_calibration` compares."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from exporters import onnx_run
from exporters.int8.cpu import cpu_options
from exporters.int8.insertion import bypass
from exporters.int8.litert import moving_ranges, quantizer_of
from exporters.int8.ranges import batches
from exporters.int8.tensorrt import insert_pairs
from exporters.tflite_run import channels_last, run_file
from exporters.tflite_run import load as load_tflite
from studies.int8_ranges import (
    AVERAGED,
    LEAST_ERROR,
    Ranges,
    averaged_extremes,
    onnx_histograms,
    ranges_of,
    tflite_histograms,
)
from system.silence import silence

Logits = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def onnx_ranges(prepared: Path, images: NDArray[np.float32], methods: tuple[str, ...]) -> dict[bool, dict[str, Ranges]]:
    """Each method's ranges of every tensor, as symmetric integers use them (True) and as asymmetric ones do."""
    collector = onnx_histograms(prepared, images)
    free = dict(ranges_of(collector, methods, symmetric=False))
    if AVERAGED in methods:
        free[AVERAGED] = averaged_extremes(prepared, images)
    least = (LEAST_ERROR,) if LEAST_ERROR in methods else ()
    return {False: free, True: free | dict(ranges_of(collector, least, symmetric=True))}


def write_onnx(precision: str, prepared: Path, ranges: Ranges, path: Path, *, floating: Sequence[str] = ()) -> None:
    """Write a prepared FP32 file in INT8 with these ranges, as the exporter does with its own.

    The nodes of the names `floating` stay FP32.
    """
    if precision != "int8-cpu":
        insert_pairs(precision, prepared, path, {name: max(map(abs, pair)) for name, pair in ranges.items()})
        if floating:
            model = onnx.load(path)
            bypass(model, floating)
            onnx.save(model, path)
        return
    from onnxruntime.quantization import CalibrationMethod, quantize_static
    from onnxruntime.quantization.calibrate import TensorsData, save_tensors_data

    kept = path.with_suffix(".ranges.json")
    bounds = {name: tuple(map(np.float32, pair)) for name, pair in ranges.items()}
    save_tensors_data(TensorsData(CalibrationMethod.MinMax, bounds), kept)
    options = {"calibration_cache_path": kept, "nodes_to_exclude": list(floating)} | cpu_options()
    quantize_static(str(prepared), str(path), None, **options)


def tflite_files(
    fp32: Path, images: NDArray[np.float32], methods: tuple[str, ...], folder: Path
) -> Iterator[tuple[str, Path]]:
    """The INT8 file of each method; the quantizer's own moving average stands for the averaged ranges."""
    interpreter, path = load_tflite(fp32, 1), folder / "int8.tflite"
    with silence():
        worker = quantizer_of(interpreter, fp32)
        own: dict[str, Any] = moving_ranges(worker, interpreter, [batch[None] for batch in channels_last(images)])
        collector = tflite_histograms(fp32, images, own)
    found = dict(ranges_of(collector, methods, symmetric=False))
    for method in sorted(methods, key=lambda each: each != AVERAGED):
        given = own if method == AVERAGED else _as_own(own, found[method])
        with silence():
            quantizer_of(interpreter, fp32).quantize(given).export_model(str(path), overwrite=True)
        yield method, path


def _as_own(own: dict[str, Any], ranges: Ranges) -> dict[str, Any]:
    """Ranges in the form in which the quantizer gave its own."""
    return {
        name: {
            key: np.full_like(own[name][key], value) for key, value in zip(("min", "max"), ranges[name], strict=True)
        }
        for name in own
    }


def runner(path: Path) -> Logits:
    """An ONNX or TFLite file as a function from images (N, 3, H, W) to logits (N, classes)."""
    if path.suffix == ".tflite":
        return run_file(path)
    run = onnx_run.run_file(path)
    return lambda images: np.concatenate([run(batch) for batch in batches(images)])
