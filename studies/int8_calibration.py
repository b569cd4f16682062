"""INT8 on a trained network: each way to choose ranges, and each format and precision, beside FP32 torch.

    python -m studies.int8_calibration [--quick] [--crops 24]

EfficientNet-Lite0 with its ImageNet weights is calibrated on crops of one half of the photographs that scikit-learn and
scikit-image ship, and judged on crops of the other half; then the halves change places. The tables are Markdown.
"""

import argparse
import itertools
import logging
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from exporters.artifact import Job
from exporters.cache import Cache
from exporters.fidelity import source_logits
from exporters.int8.calibration import calibration_count, calibration_images
from exporters.int8.prepared import prepare
from exporters.int8.ranges import batches
from studies import lite0
from studies.int8_files import onnx_ranges, runner, tflite_files, write_onnx
from studies.int8_outcome import HEADING, Outcome, compare, joined, row
from studies.int8_ranges import AVERAGED, LARGEST, LEAST_ERROR, METHODS
from studies.photograph_crops import halves, inputs_of, write_crops

_ONNX = ("int8", "int8-cpu", "int8-fp16", "int8-fp16-dense", "int8-fp16-modelopt")
_TFLITE, _EXPORTED = "tflite", "exported"
# What rows are of: the ranges of these files, the others differ from "int8" in what is quantized; and what is exported.
_PARTS = ("int8", "int8-cpu", _TFLITE, _EXPORTED)
_FORMATS = (
    ("onnx", "fp32"),
    ("onnx", "fp16"),
    ("tflite", "fp32"),
    *(("onnx_int8", precision) for precision in _ONNX),
    ("tflite", "int8"),
)
_QUICK = (LARGEST, AVERAGED, "99.99 %", LEAST_ERROR)


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
    parser.add_argument("--quick", action="store_true", help="whether it runs: 2 crops, no entropy, no FP16")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--only", nargs="+", choices=_PARTS, default=_PARTS, help="some of the rows")
    arguments = parser.parse_args()
    crops, methods = (2, _QUICK) if arguments.quick else (arguments.crops, METHODS)
    logging.disable(logging.WARNING)  # ONNX Runtime asks for its own pre-processing
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = Job(
            model=lite0.model(), format="onnx", precision="fp32", weights=lite0.write_checkpoint(folder / "lite0.pth")
        )
        pair = two_halves(job, folder, crops)
        cache, ranged = Cache(arguments.artifacts), [each for each in arguments.only if each != _EXPORTED]
        if ranged:
            print_table("ranges", methods_beside(job, pair, methods, ranged, cache, folder))
        formats = [each for each in _FORMATS if not arguments.quick or each[1] not in _ONNX[2:]]
        if _EXPORTED in arguments.only:
            print_table("calibrated on", formats_beside(job, pair, formats, cache))


def two_halves(job: Job, folder: Path, crops: int) -> tuple[Half, Half]:
    """Both halves of the photographs, `crops` of each in `folder`."""
    first, second = (
        _half(job, write_crops(files, folder / name, crops, seed=1))
        for name, files in zip(("half-a", "half-b"), halves(), strict=True)
    )
    return first, second


def _half(job: Job, folder: Path) -> Half:
    inputs, shown = inputs_of(folder, job.model)
    reference = np.concatenate([source_logits(job, batch) for batch in batches(inputs)])
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
            outcomes.append(compare(other.reference, runner(path)(other.inputs), other.shown))
        yield [f"{format_} {precision}", "the other half" if "int8" in precision else "", *row(joined(outcomes), None)]


def methods_beside(
    job: Job,
    pair: tuple[Half, Half],
    methods: tuple[str, ...],
    files: Sequence[str],
    cache: Cache,
    folder: Path,
) -> Iterator[list[str]]:
    """A row for each INT8 file with the ranges of each method; the first of a file is what the others are beside."""
    found: dict[tuple[str, str], list[Outcome]] = {}
    for half, other in (pair, pair[::-1]):
        calibrated = msgspec.structs.replace(job, calibration=half.folder)
        images = calibration_images(calibrated, calibration_count(calibrated))
        for name, method, path in _files(job, images, methods, files, cache, folder):
            outcome = compare(other.reference, runner(path)(other.inputs), other.shown)
            print(f"{half.folder.name}: {name}, {method}: {row(outcome, None)[:-3]}", file=sys.stderr, flush=True)
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
    files: Sequence[str],
    cache: Cache,
    folder: Path,
) -> Iterator[tuple[str, str, Path]]:
    """Each INT8 file in turn, with its name and method; the next one takes its place."""
    if precisions := [each for each in files if each != _TFLITE]:
        prepared, path = folder / "prepared.onnx", folder / "int8.onnx"
        prepare(Path(cache.obtain(job).path), prepared)
        by_use = onnx_ranges(prepared, images, methods)
        for precision, method in itertools.product(precisions, methods):
            write_onnx(precision, prepared, by_use[precision != "int8-cpu"][method], path)
            yield f"onnx_int8 {precision}", method, path
    if _TFLITE not in files:
        return
    fp32 = Path(cache.obtain(msgspec.structs.replace(job, format="tflite", batch=1)).path)
    yield from (("tflite int8", method, path) for method, path in tflite_files(fp32, images, methods, folder))


if __name__ == "__main__":
    main()
