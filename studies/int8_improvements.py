"""What else may bring an INT8 file closer to FP32, and where its error comes from: layers in FP32, biases, and parts.

    python -m studies.int8_improvements [--crops 24]

Network, photographs and columns are those of `studies.int8_calibration`; ranges are the largest magnitudes. The time is
the median over interleaved runs of one image on ONNX Runtime's CPU provider, as a ratio to the first file's.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray

from exporters import onnx_run
from exporters.artifact import Job
from exporters.cache import Cache
from exporters.int8.calibration import calibration_count, calibration_images
from exporters.int8.insertion import insert
from exporters.int8.placement import Placement, Rules, place_qdq
from exporters.int8.prepared import prepare
from exporters.int8.ranges import batches, extremes
from exporters.to_onnx_int8 import write_corrected
from studies import lite0
from studies.int8_calibration import Half, print_table, two_halves
from studies.int8_files import write_onnx
from studies.int8_outcome import Outcome, compare, joined, row
from studies.int8_ranges import Ranges

_RUNS = 40
PLAIN = "biases as they are"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=int, default=24, help="of each photograph (default: %(default)s)")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = lite0.write_checkpoint(folder / "lite0.pth")
        job = Job(model=lite0.model(), format="onnx", precision="fp32", weights=weights)
        prepared = folder / "prepared.onnx"
        prepare(Path(Cache(arguments.artifacts).obtain(job).path), prepared)
        pair = two_halves(job, folder, arguments.crops)
        print_table("what differs", rows(job, pair, prepared, folder))


def rows(job: Job, pair: tuple[Half, Half], prepared: Path, folder: Path) -> Iterator[list[str]]:
    """A row for each variant of a file; the first of a file is what the others are beside."""
    outcomes: dict[tuple[str, str], list[Outcome]] = {}
    speeds: dict[tuple[str, str], float] = {}
    for half, other in (pair, pair[::-1]):
        calibrated = msgspec.structs.replace(job, calibration=half.folder)
        images = calibration_images(calibrated, calibration_count(calibrated))
        files = dict(variants(prepared, images, folder))
        for key, path in files.items():
            run = onnx_run.run_file(path)
            logits = np.concatenate([run(batch) for batch in batches(other.inputs)])
            outcomes.setdefault(key, []).append(compare(other.reference, logits, other.shown))
        speeds = speeds or medians_s({key: files[key] for key in files if key[0] == "int8-cpu"}, images[:1])
    firsts: dict[str, Outcome] = {}
    for (precision, what), found in outcomes.items():
        outcome = joined(found)
        first = firsts.setdefault(precision, outcome)
        seconds = speeds.get((precision, what))
        ratio = f", {seconds / speeds[precision, PLAIN]:.2f} of its time" if seconds else ""
        yield [f"onnx_int8 {precision}", what + ratio, *row(outcome, None if first is outcome else first)]


def variants(prepared: Path, images: NDArray[np.float32], folder: Path) -> Iterator[tuple[tuple[str, str], Path]]:
    """Each variant of the prepared FP32 file, by precision and what differs."""
    ranges = extremes(prepared, images, averaged=False)
    nodes = [node for node in onnx.load(prepared).graph.node if node.op_type in {"Conv", "Gemm"}]
    first, last = nodes[0].name, nodes[-1].name
    corrected = folder / "corrected.onnx"
    for precision in ("int8", "int8-cpu"):
        write_corrected(precision, prepared, corrected, images)
        for number, (what, source, floating) in enumerate(
            (
                (PLAIN, prepared, ()),
                ("first convolution in FP32", prepared, (first,)),
                ("classifier in FP32", prepared, (last,)),
                ("both in FP32", prepared, (first, last)),
                ("biases corrected", corrected, ()),
            )
        ):
            path = folder / f"{precision}-{number}.onnx"
            write_onnx(precision, source, ranges, path, floating=floating)
            yield (precision, what), path
    for what, path in parts(prepared, ranges, folder):
        yield ("int8", what), path


def parts(prepared: Path, ranges: Ranges, folder: Path) -> Iterator[tuple[str, Path]]:
    """Files in which weights alone and activations alone are INT8: what each of them costs."""
    for what in ("weights", "activations"):
        model = onnx.load(prepared)
        chosen = place_qdq(model.graph, Rules())
        placement = Placement({}, chosen.weights) if what == "weights" else Placement(chosen.activations, {})
        insert(model, placement, {name: max(map(abs, pair)) for name, pair in ranges.items()})
        onnx.save(model, folder / f"{what}.onnx")
        yield f"{what} alone in INT8", folder / f"{what}.onnx"


def medians_s(files: dict[tuple[str, str], Path], image: NDArray[np.float32]) -> dict[tuple[str, str], float]:
    """The median time of each file, run alternately."""
    runs = {key: onnx_run.run_file(path) for key, path in files.items()}
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in runs}
    for number in range(-3, _RUNS):
        for key, run in runs.items():
            start_s = time.perf_counter()
            run(image)
            if number >= 0:
                seconds[key].append(time.perf_counter() - start_s)
    return {key: statistics.median(each) for key, each in seconds.items()}


if __name__ == "__main__":
    main()
