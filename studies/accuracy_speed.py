"""What an evaluation takes beside the bare inferences of the same images, in turns within one run.

python -m studies.accuracy_speed [MODEL ...] [--target cpu] [--images 400] [--turns 5] [--alone]

Images are JPEG files of 500x375, ImageNet's usual size, cut from the photographs that two libraries ship. "Bare" is a
loop over inputs that lie in memory already, in this process. The evaluation reads, decodes, prepares, predicts, and
keeps each answer on disk. Both ask the file and torch in FP32, as the command does where torch has not answered yet;
with --alone, the file. A quarter of the images is evaluated too: what both evaluations have in common, such as starting
processes, is shown apart, so that the ratio is of each further image.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from bench.accuracy.evaluate import evaluate
from bench.accuracy.images import digested
from bench.accuracy.subject import Subject, reference_target
from devices.predict import predictor_of
from devices.targets import find_targets
from exporters.cache import Cache
from models import Model, find
from models.photographs.folder import Photograph, photographs
from models.photographs.pool import prepared
from models.photographs.preprocessing import preprocessing_of
from studies.lite0 import photograph_files
from system.machine import usable_cores

_WIDTH_PX, _HEIGHT_PX = 500, 375
_QUALITY = 90


def main() -> None:
    arguments = _arguments()
    print(f"{'network':40} {'bare ms':>9} {'evaluated ms':>13} {'ratio':>7} {'of the turns':>15} {'start s':>8}")
    with tempfile.TemporaryDirectory(prefix="accuracy-speed-") as root:
        found = write_photographs(Path(root) / "photographs", arguments.images)
        for pattern in arguments.model:
            for model in find(pattern):
                turns = _turns(model, arguments, found, Path(root))
                bare_s, each_s, start_s = (median(column) for column in zip(*turns, strict=True))
                ratios = sorted(each / bare for bare, each, _ in turns)
                print(
                    f"{model.name:40} {bare_s * 1e3:9.2f} {each_s * 1e3:13.2f} {median(ratios):7.3f} "
                    f"{ratios[0]:6.3f} - {ratios[-1]:.3f} {start_s:8.1f}",
                    flush=True,
                )


def write_photographs(folder: Path, count: int) -> tuple[Photograph, ...]:
    """`count` JPEG files, each another part of one of the photographs."""
    sources = [Image.open(file).convert("RGB") for file in photograph_files()]
    random = np.random.default_rng(0)
    folder.mkdir()
    for number in range(count):
        source = sources[number % len(sources)]
        side_px = int(random.integers(min(source.size) // 2, min(source.size)))
        left_px, top_px = (int(random.integers(0, whole_px - side_px)) for whole_px in source.size)
        part = source.crop((left_px, top_px, left_px + side_px, top_px + side_px * _HEIGHT_PX // _WIDTH_PX))
        part.resize((_WIDTH_PX, _HEIGHT_PX)).save(folder / f"{number:05d}.jpg", quality=_QUALITY)
    return photographs(folder).images


def _turns(
    model: Model, arguments: argparse.Namespace, found: Sequence[Photograph], root: Path
) -> list[tuple[float, float, float]]:
    """The seconds of each turn: an image bare, an image evaluated, and what an evaluation takes beside its images."""
    how, cache = preprocessing_of(model), Cache(arguments.artifacts)
    targets = [find_targets(arguments.target)[0], *([] if arguments.alone else [reference_target(model)])]
    subjects = [Subject(cache.obtain(target.job(model)), target, how) for target in targets]
    inputs = [pixels for _, pixels, _ in prepared(found, how, processes=usable_cores())]
    predictors = [predictor_of(subject.artifact, subject.target) for subject in subjects]
    images, turns = digested(found), []
    for turn in range(arguments.turns):
        spent_s = {}
        sizes = [len(images) // 4, len(images)]
        for size in sizes if turn % 2 else sizes[::-1]:
            with tempfile.TemporaryDirectory(dir=root) as results:
                begun_s = time.perf_counter()
                evaluate(subjects, images[:size], Path(results), timeout_s=600)
                spent_s[size] = time.perf_counter() - begun_s
        begun_s = time.perf_counter()
        for pixels in inputs:
            for predictor in predictors:
                predictor.predict(pixels[None])
        bare_s = (time.perf_counter() - begun_s) / len(inputs)
        each_s = (spent_s[sizes[1]] - spent_s[sizes[0]]) / (sizes[1] - sizes[0])
        turns.append((bare_s, each_s, spent_s[sizes[1]] - each_s * sizes[1]))
    for predictor in predictors:
        predictor.close()
    return turns


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "model", nargs="*", default=["*flops400M*", "*latency01ms*", "*latency12ms*", "EfficientNet-B3"]
    )
    parser.add_argument("--target", default="cpu", help="one whose batch is 1")
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--alone", action="store_true", help="without torch in FP32")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
