"""Each export of the suite beside the plain call of the library that makes the file, in turns, in one process.

python -m studies.overhead.exports --model '*flops400M*' --model EfficientNet-B3

Times are CPU seconds of the process, which neighbours change less than wall time. Both begin with the torch network, or
with the FP32 file, ready. Ours includes the check of logits, the sha256 and the writing of the cache; parts are shown.
"""

import argparse
import contextlib
import importlib
import logging
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

from exporters.artifact import Job
from exporters.cache import Cache
from exporters.formats import chain
from exporters.int8.calibration import calibration_count, calibration_images
from exporters.int8.ranges import Feed
from exporters.network import torch_network
from models.zoo import find
from system.command_line import print_table, run
from system.silence import silence

# What is timed within ours: (part, module, function).
_PARTS = (
    ("check", "exporters.to_onnx", "check_against_source"),
    ("check", "exporters.to_onnx_int8", "check_against_source"),
    ("check", "exporters.to_onnx_int8", "_logits"),
    ("check", "exporters.to_tflite", "check_against_source"),
    ("check", "exporters.to_tflite", "run_file"),
    ("check", "exporters.to_torch", "check_against_source"),
    ("biases", "exporters.to_onnx_int8", "write_corrected"),
    ("sha256, disk", "exporters.artifact_files", "_put"),
    ("sha256, disk", "exporters.artifact_files", "sha256_of"),
)


def plain_onnx(job: Job, source: Path | None, path: Path) -> None:
    import torch

    px = job.model.resolution_px
    dynamic = ({0: torch.export.Dim("batch")},)
    images = (torch.zeros(2, 3, px, px),)
    torch.onnx.export(torch_network(job), images, str(path), dynamo=True, dynamic_shapes=dynamic, verbose=False)


def plain_onnx_int8(job: Job, source: Path | None, path: Path) -> None:
    from onnxruntime.quantization import quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    # As onnxruntime's documentation advises: batch norms folded first, images of the same number.
    prepared = path.with_suffix(".prepared.onnx")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    quantize_static(str(prepared), str(path), Feed(calibration_images(job, calibration_count(job))))


def plain_tflite(job: Job, source: Path | None, path: Path) -> None:
    import torch

    from exporters.quiet_converter import litert_torch

    px = job.model.resolution_px
    network = litert_torch.to_channel_last_io(torch_network(job), args=[0]).eval()
    with silence():
        litert_torch.convert(network, (torch.zeros(1, px, px, 3),)).export(str(path))


def plain_tflite_int8(job: Job, source: Path | None, path: Path) -> None:
    from ai_edge_quantizer import quantizer, recipe

    from exporters.int8.litert import moving_ranges
    from exporters.tflite_run import channels_last, load

    images = calibration_images(job, calibration_count(job))
    shown = [channels_last(images[at : at + 1]) for at in range(len(images))]
    with silence():
        worker = quantizer.Quantizer(str(source))
        worker.load_quantization_recipe(recipe.static_wi8_ai8())
        ranges = moving_ranges(worker, load(source, 1), shown)
        worker.quantize(ranges).export_model(str(path))


def plain_torch(job: Job, source: Path | None, path: Path) -> None:
    import torch

    torch.save(torch_network(job).state_dict(), path)


PLAIN: dict[tuple[str, str, int | None], tuple[str, Callable[[Job, Path | None, Path], None]]] = {
    ("onnx", "fp32", None): ("torch.onnx.export", plain_onnx),
    ("onnx_int8", "int8-cpu", None): ("quantize_static", plain_onnx_int8),
    ("tflite", "fp32", 1): ("litert_torch.convert", plain_tflite),
    ("tflite", "int8", 1): ("ai_edge_quantizer", plain_tflite_int8),
    ("torch", "fp32", None): ("torch.save", plain_torch),
}


def main() -> int:
    """Compare each network in each format; exit 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", help="(default: *flops400M* and EfficientNet-B3)")
    parser.add_argument("--rounds", type=int, default=3, help="of each call; the first of each is not counted")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"), help="where FP32 files are, or are put")
    parser.add_argument("--format", action="append", help="only these (default: all)")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    rows = []
    for pattern in arguments.model or ["*flops400M*", "EfficientNet-B3"]:
        (model,) = find(pattern)
        for format_, precision, batch in PLAIN:
            if not arguments.format or format_ in arguments.format:
                job = Job(model=model, format=format_, precision=precision, batch=batch)
                rows.append(compare(job, Cache(arguments.artifacts), arguments.rounds))
                print(*rows[-1], sep=" | ", flush=True)
    print_table(["network", "file", "plain call", "plain, s", "ours, s", "ratio", "of ours"], rows)
    return 0


def compare(job: Job, given: Cache, rounds: int) -> list[str]:
    """Time both in turns; the medians of the rounds after the first, and the median of their ratios."""
    said, plain = PLAIN[job.format, job.precision, job.batch]
    plain_s, ours_s, parts = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder) / "artifacts")
        cache.open_folder()
        torch_network(job)
        source = None
        for each in chain(job)[:-1]:
            source = copied(given, cache, each)
        for number in range(rounds):
            begun = time.process_time()
            plain(job, source, Path(folder) / f"plain{number}")
            plain_s.append(time.process_time() - begun)
            with taken() as part_s:
                begun = time.process_time()
                made = cache.obtain(job)
                ours_s.append(time.process_time() - begun)
            parts.append(part_s)
            Path(made.path).unlink()
    ratio = median(ours / theirs for ours, theirs in list(zip(ours_s, plain_s, strict=True))[rounds > 1 :])
    whole_s = sum(ours_s[rounds > 1 :])
    shares = {name: sum(part[name] for part in parts[rounds > 1 :]) / whole_s for name in parts[0]}
    shown = ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if share >= 0.005)
    counted = [median(seconds[rounds > 1 :]) for seconds in (plain_s, ours_s)]
    file = f"{job.format} {job.precision}"
    return [job.model.name, file, said, *(f"{seconds:.1f}" for seconds in counted), f"{ratio:.2f}", shown]


def copied(given: Cache, cache: Cache, job: Job) -> Path:
    """The file of a job in `cache`, a copy of that in `given`."""
    made, path = Path(given.obtain(job).path), cache.path(job)
    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix in (path.suffix, ".json"):
        shutil.copyfile(made.with_suffix(suffix), path.with_suffix(suffix))
    return path


@contextlib.contextmanager
def taken() -> Iterator[dict[str, float]]:
    """CPU seconds of each part while the block runs."""
    part_s = {name: 0.0 for name, _, _ in _PARTS}
    inside: list[str] = []  # a part within a part counts once
    with contextlib.ExitStack() as stack:
        for name, module, function in _PARTS:
            original = getattr(importlib.import_module(module), function)
            stack.enter_context(mock.patch(f"{module}.{function}", timed(original, name, part_s, inside)))
        yield part_s


def timed(original: Callable[..., Any], name: str, part_s: dict[str, float], inside: list[str]) -> Callable[..., Any]:
    """The same function, whose CPU seconds are added to a part."""

    def call(*args: Any, **kwargs: Any) -> Any:
        outermost, begun = not inside, time.process_time()
        inside.append(name)
        try:
            return original(*args, **kwargs)
        finally:
            inside.pop()
            part_s[name] += (time.process_time() - begun) * outermost

    return call


if __name__ == "__main__":
    run(main)
