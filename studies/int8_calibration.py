"""INT8 on a trained network: each way to choose ranges, and each format and precision, beside FP32 torch.

    python -m studies.int8_calibration [--quick] [--crops 24]

EfficientNet-Lite0 with its ImageNet weights is calibrated on crops of one half of the photographs that scikit-learn and
scikit-image ship, and judged on crops of the other half; then the halves change places. The tables are Markdown.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray

from exporters.artifact import Job
from exporters.cache import Cache
from exporters.fidelity import torch_logits
from exporters.int8.calibration import calibration_count, calibration_images
from exporters.int8.insertion import bypass
from exporters.int8.litert import moving_ranges, quantizer_of
from exporters.int8.ranges import batches
from exporters.to_onnx import load as load_onnx
from exporters.to_onnx_int8 import cpu_options, insert_pairs, prepare
from exporters.to_tflite import channels_last, run_file
from exporters.to_tflite import load as load_tflite
from studies import lite0
from studies.int8_outcome import HEADING, Outcome, compare, joined, row
from studies.int8_ranges import (
    AVERAGED,
    LARGEST,
    LEAST_ERROR,
    METHODS,
    Ranges,
    averaged_extremes,
    onnx_histograms,
    ranges_of,
    tflite_histograms,
)
from studies.photograph_crops import halves, inputs_of, write_crops

_ONNX = ("int8", "int8-cpu", "int8-fp16", "int8-fp16-dense", "int8-fp16-modelopt")
_FORMATS = (
    ("onnx", "fp32"),
    ("onnx", "fp16"),
    ("tflite", "fp32"),
    *(("onnx_int8", precision) for precision in _ONNX),
    ("tflite", "int8"),
)
_QUICK = (LARGEST, AVERAGED, "99.99 %", LEAST_ERROR)
Logits = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True)
class Half:
    """Crops of half of the photographs: the folder, the network's inputs (N, 3, H, W), what each shows, FP32 logits."""

    folder: Path
    inputs: NDArray[np.float32]
    shown: list[str]
    reference: NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=int, default=24, help="of each photograph (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="2 crops, and neither entropy nor FP16: does it run")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    arguments = parser.parse_args()
    crops, methods = (2, _QUICK) if arguments.quick else (arguments.crops, METHODS)
    precisions = _ONNX[:2] if arguments.quick else _ONNX
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = Job(
            model=lite0.model(), format="onnx", precision="fp32", weights=lite0.write_checkpoint(folder / "lite0.pth")
        )
        pair = two_halves(job, folder, crops)
        print_table("ranges", methods_beside(job, pair, methods, precisions, Cache(arguments.artifacts), folder))
        formats = [each for each in _FORMATS if each[0] != "onnx_int8" or each[1] in precisions]
        print_table("calibrated on", formats_beside(job, pair, formats, Cache(arguments.artifacts)))


def two_halves(job: Job, folder: Path, crops: int) -> tuple[Half, Half]:
    """Both halves of the photographs, `crops` of each in `folder`."""
    first, second = (
        _half(job, write_crops(files, folder / name, crops, seed=1))
        for name, files in zip(("half-a", "half-b"), halves(), strict=True)
    )
    return first, second


def _half(job: Job, folder: Path) -> Half:
    inputs, shown = inputs_of(folder, job.model)
    reference = np.concatenate([torch_logits(job, batch) for batch in batches(inputs)])
    return Half(folder, inputs, shown, reference)


def print_table(second: str, rows: Iterator[list[str]]) -> None:
    print(f"\n| file | {second} | " + " | ".join(HEADING) + " |\n|---|---|" + "---:|" * len(HEADING))
    for cells in rows:
        print("| " + " | ".join(cells) + " |", flush=True)


def formats_beside(
    job: Job, pair: tuple[Half, Half], formats: Sequence[tuple[str, str]], cache: Cache
) -> Iterator[list[str]]:
    """A row for the file of each format and precision as the exporters make it."""
    for format_, precision in formats:
        batch = 1 if format_ == "tflite" else None
        each = msgspec.structs.replace(job, format=format_, precision=precision, batch=batch)
        outcomes = []
        for half, other in (pair, pair[::-1]):
            calibrated = msgspec.structs.replace(each, calibration=half.folder if "int8" in precision else None)
            path = Path(cache.obtain(calibrated).path)
            outcomes.append(compare(other.reference, _runner(path)(other.inputs), other.shown))
        yield [f"{format_} {precision}", "the other half" if "int8" in precision else "", *row(joined(outcomes), None)]


def methods_beside(
    job: Job,
    pair: tuple[Half, Half],
    methods: tuple[str, ...],
    precisions: Sequence[str],
    cache: Cache,
    folder: Path,
) -> Iterator[list[str]]:
    """A row for each INT8 file with the ranges of each method; the first of a file is what the others are beside."""
    found: dict[tuple[str, str], list[Outcome]] = {}
    for half, other in (pair, pair[::-1]):
        calibrated = msgspec.structs.replace(job, calibration=half.folder)
        images = calibration_images(calibrated, calibration_count(calibrated))
        for name, method, path in _files(job, images, methods, precisions, cache, folder):
            outcome = compare(other.reference, _runner(path)(other.inputs), other.shown)
            found.setdefault((name, method), []).append(outcome)
    whole = {key: joined(outcomes) for key, outcomes in found.items()}
    firsts: dict[str, Outcome] = {}
    for (name, method), outcome in sorted(whole.items(), key=lambda item: item[0][0]):
        first = firsts.setdefault(name, outcome)
        yield [name, method, *row(outcome, None if first is outcome else first)]


def _files(
    job: Job,
    images: NDArray[np.float32],
    methods: tuple[str, ...],
    precisions: Sequence[str],
    cache: Cache,
    folder: Path,
) -> Iterator[tuple[str, str, Path]]:
    """Each INT8 file in turn, with its name and method; the next one takes its place."""
    prepared, path = folder / "prepared.onnx", folder / "int8.onnx"
    prepare(Path(cache.obtain(job).path), prepared)
    by_use = onnx_ranges(prepared, images, methods)
    for precision in precisions:
        for method in methods:
            write_onnx(precision, prepared, by_use[precision != "int8-cpu"][method], path)
            yield f"onnx_int8 {precision}", method, path
    fp32 = Path(cache.obtain(msgspec.structs.replace(job, format="tflite", batch=1)).path)
    yield from (("tflite int8", method, path) for method, path in tflite_files(fp32, images, methods, folder))


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
    worker = quantizer_of(interpreter, fp32)
    own: dict[str, Any] = moving_ranges(worker, interpreter, [batch[None] for batch in channels_last(images)])
    collector = tflite_histograms(fp32, images, own)
    found = dict(ranges_of(collector, methods, symmetric=False))
    for method in sorted(methods, key=lambda each: each != AVERAGED):
        given = own if method == AVERAGED else _as_own(own, found[method])
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


def _runner(path: Path) -> Logits:
    if path.suffix == ".tflite":
        return run_file(path)
    run = load_onnx(path)
    return lambda images: np.concatenate([run(batch) for batch in batches(images)])


if __name__ == "__main__":
    main()
