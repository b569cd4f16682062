"""Which step of preparing a photograph takes how much processor time, and what doing it in other processes adds.

python -m studies.photograph_pool --images 200 --processes 2

The photographs are crops of those that scikit-image and scikit-learn ship, 500 x 375 pixels in JPEG of quality 90, as
ImageNet's are on average. Everything is read from the disk's cache.
"""

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
from PIL import Image

from models.photographs.decode import decode
from models.photographs.folder import Photograph, photographs
from models.photographs.pool import prepared
from models.photographs.preprocessing import Preprocessing, _cropped, preprocess, preprocessing_of
from models.zoo import find
from studies.lite0 import photograph_files
from system.command_line import print_table, run

_SIZE_PX = (500, 375)
_NETWORKS = ("zennet_imagenet1k_flops400M_SE_res224", "EfficientNet-B3", "EfficientNet-B6")


def main() -> int:
    """Print a row for each network; exit 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = sum(write(folder, arguments.images)) / arguments.images
        rows = [_row(network, folder, arguments.processes) for network in _NETWORKS]
    print(f"{arguments.images} images of {_SIZE_PX[0]} x {_SIZE_PX[1]} pixels, {size / 1e3:.0f} kB on average")
    header = ["network", "px", "decode ms", "resize, crop ms", "normalise ms", "all in this process ms"]
    print_table([*header, f"in {arguments.processes} others ms", "and here ms"], rows)
    return 0


def write(folder: Path, count: int) -> list[int]:
    """Write `count` crops into `folder`; the size of each file in bytes."""
    sources = [Image.open(file).convert("RGB") for file in photograph_files()]
    sizes = []
    for index in range(count):
        source = sources[index % len(sources)]
        width, height = min(source.width, 2 * _SIZE_PX[0]), min(source.height, 2 * _SIZE_PX[1])
        left, top = (index * 37) % (source.width - width + 1), (index * 23) % (source.height - height + 1)
        path = folder / f"{index:05}.jpg"
        source.crop((left, top, left + width, top + height)).resize(_SIZE_PX).save(path, quality=90)
        sizes.append(path.stat().st_size)
    return sizes


def _row(network: str, folder: Path, processes: int) -> list[str]:
    model, images = find(network)[0], photographs(folder, with_classes=False).images
    how = preprocessing_of(model)
    decoded = [decode(image.path)[0] for image in images[:50]]
    crops = [_cropped(image, how) for image in decoded]
    unresized = Preprocessing(short_px=how.crop_px, crop_px=how.crop_px, resolution_px=how.resolution_px)
    steps = [
        _each_ms(lambda image: decode(image.path), images[:50]),
        _each_ms(lambda image: _cropped(image, how), decoded),
        _each_ms(lambda image: preprocess(image, unresized), crops),
    ]
    alone, _ = _both_ms(images, how, 0)
    return [
        network,
        str(how.resolution_px),
        *(f"{ms:.2f}" for ms in (*steps, alone, *_both_ms(images, how, processes))),
    ]


def _each_ms(function: Callable[[Any], object], items: Sequence[Any]) -> float:
    """The median processor time of a call, after one of each item that is not counted."""
    times_ms = []
    for item in (*items, *items):
        begun = time.process_time()
        function(item)
        times_ms.append(1e3 * (time.process_time() - begun))
    return statistics.median(times_ms[len(items) :])


def _both_ms(images: Sequence[Photograph], how: Preprocessing, processes: int) -> tuple[float, float]:
    """Processor time of an image: where it is prepared, and what remains for this process if that is in others."""
    begun, elsewhere = time.process_time(), 0.0
    for number, _ in enumerate(prepared(images, how, processes=processes), start=1):
        if number == len(images) and processes:
            for child in multiprocessing.active_children():
                used = psutil.Process(child.pid).cpu_times()
                elsewhere += used.user + used.system
    here = 1e3 * (time.process_time() - begun) / len(images)
    return (1e3 * elsewhere / len(images), here) if processes else (here, 0.0)


if __name__ == "__main__":
    run(main)
