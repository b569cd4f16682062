"""What else may bring an INT8 file closer to FP32, and where its error comes from: layers in FP32, biases, and parts.

    python -m studies.int8_improvements [--crops 24]

Network, photographs and columns are those of `studies.int8_calibration`; ranges are the largest magnitudes. The time is
the median over interleaved runs of one image on ONNX Runtime's CPU provider, as a ratio to the file as exported.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from exporters.artifact import Job
from exporters.cache import Cache
from exporters.int8.calibration import calibration_count, calibration_images
from exporters.int8.insertion import channel_scales, insert
from exporters.int8.placement import Placement, Rules, place_qdq
from exporters.int8.ranges import batches, extremes
from exporters.to_onnx import INPUT
from exporters.to_onnx import load as load_onnx
from exporters.to_onnx_int8 import prepare
from studies import lite0
from studies.int8_calibration import Half, print_table, two_halves, write_onnx
from studies.int8_outcome import Outcome, compare, joined, row
from studies.int8_ranges import Ranges

_RUNS = 40


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
            run = load_onnx(path)
            logits = np.concatenate([run(batch) for batch in batches(other.inputs)])
            outcomes.setdefault(key, []).append(compare(other.reference, logits, other.shown))
        speeds = speeds or medians_s({key: files[key] for key in files if key[0] == "int8-cpu"}, images[:1])
    first: Outcome | None = None
    for (precision, what), found in outcomes.items():
        outcome = joined(found)
        first = outcome if what == "as exported" else first
        seconds = speeds.get((precision, what))
        ratio = f", {seconds / speeds[precision, 'as exported']:.2f} of its time" if seconds else ""
        yield [f"onnx_int8 {precision}", what + ratio, *row(outcome, None if first is outcome else first)]


def variants(prepared: Path, images: NDArray[np.float32], folder: Path) -> Iterator[tuple[tuple[str, str], Path]]:
    """Each variant of the prepared FP32 file, by precision and what differs."""
    ranges = extremes(prepared, images, averaged=False)
    nodes = [node for node in onnx.load(prepared).graph.node if node.op_type in {"Conv", "Gemm"}]
    first, last = nodes[0].name, nodes[-1].name
    corrected = folder / "corrected.onnx"
    onnx.save(with_corrected_biases(prepared, images), corrected)
    for precision in ("int8", "int8-cpu"):
        for number, (what, source, floating) in enumerate(
            (
                ("as exported", prepared, ()),
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


def with_corrected_biases(prepared: Path, images: NDArray[np.float32]) -> onnx.ModelProto:
    """The prepared file with biases that take out the mean shift that rounded weights cause, channel by channel.

    Source: Nagel et al., "Data-free quantization through weight equalization and bias correction", ICCV 2019, with the
    means of the inputs taken from images.
    """
    model = onnx.load(prepared)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    means = _input_means(prepared, images)
    for node in model.graph.node:
        if node.op_type not in {"Conv", "Gemm"} or len(node.input) < 3:
            continue
        weights = numpy_helper.to_array(constants[node.input[1]])
        axis = 0 if node.op_type == "Conv" or weights.shape[0] != len(means[node.input[0]]) else 1
        moved = np.moveaxis(weights, axis, 0)
        scales = channel_scales(weights, axis, None).reshape(-1, *[1] * (weights.ndim - 1))
        shift = (
            (np.round(moved / scales) * scales - moved).reshape(*moved.shape[:2], -1).sum(axis=2)
        )  # (out, in / groups)
        inputs = means[node.input[0]]
        depthwise = shift.shape[1] == 1 and len(inputs) == len(shift)
        lost = shift[:, 0] * inputs if depthwise else shift @ inputs
        bias = constants[node.input[2]]
        bias.CopyFrom(numpy_helper.from_array((numpy_helper.to_array(bias) - lost).astype(np.float32), bias.name))
    return model


def _input_means(prepared: Path, images: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    """The mean of each channel of what convolutions and the classifier read."""
    import onnxruntime

    model = onnx.load(prepared)
    names = dict.fromkeys(node.input[0] for node in model.graph.node if node.op_type in {"Conv", "Gemm"})
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names if name != INPUT)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    inner = [name for name in names if name != INPUT]
    sums: dict[str, Any] = dict.fromkeys(names, 0.0)
    for batch in batches(images):
        for name, value in zip((INPUT, *inner), (batch, *session.run(inner, {INPUT: batch})), strict=True):
            by_channel = value.reshape(*value.shape[:2], -1).mean(axis=2, dtype=np.float64)
            sums[name] = sums[name] + by_channel.sum(axis=0)
    return {name: total / len(images) for name, total in sums.items()}


def medians_s(files: dict[tuple[str, str], Path], image: NDArray[np.float32]) -> dict[tuple[str, str], float]:
    """The median time of each file, run alternately."""
    runs = {key: load_onnx(path) for key, path in files.items()}
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
