"""What INT8 gains in TFLite by the window of a depthwise convolution, and what the INT8 recipe makes of it.

    python -m studies.tflite_int8_windows [MODEL ...] [--threads 1 2] [--passes 20]

First one depthwise convolution alone, 240 channels, 28x28 pixels, in FP32 and INT8; then whole networks in FP32, with
every operator in INT8, and with the depthwise convolutions of more than 25 taps in FP32, as the exporter leaves them.
The files of a row are run alternately, once a pass; each time is the fastest and the median of its passes, in
milliseconds of one inference.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median

import numpy as np

from exporters.artifact import Job
from exporters.cache import Cache
from exporters.int8.calibration import calibration_images
from exporters.int8.litert import quantize
from exporters.tflite_run import channels_last, input_of, load
from models import find
from system.silence import silence

_CHANNELS, _PX = 240, 28
_WINDOWS = (3, 5, 7)
_ALL = 10_000  # taps of a window that no network has
_WARMUP = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="*", default=["*flops*", "*latency01ms*", "EfficientNet-B3"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--passes", type=int, default=20)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    arguments = parser.parse_args()
    print("| | threads | file | fastest ms | median ms |\n|---|---:|---|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for name, files in (*_layers(Path(folder)), *_networks(arguments, Path(folder))):
            for threads in arguments.threads:
                for kind, each_ms in _alternately(files, threads, arguments.passes).items():
                    print(f"| {name} | {threads} | {kind} | {min(each_ms):.2f} | {median(each_ms):.2f} |", flush=True)


def _layers(folder: Path) -> Iterator[tuple[str, dict[str, Path]]]:
    """One depthwise convolution of each window, as files by kind."""
    import torch

    from exporters.quiet_converter import litert_torch

    for window in _WINDOWS:
        layer = torch.nn.Conv2d(_CHANNELS, _CHANNELS, window, padding=window // 2, groups=_CHANNELS)
        network = litert_torch.to_channel_last_io(layer.eval(), args=[0], outputs=[0])
        fp32, int8 = (folder / f"{window}-{kind}.tflite" for kind in ("fp32", "int8"))
        litert_torch.convert(network.eval(), (torch.zeros(1, _PX, _PX, _CHANNELS),)).export(str(fp32))
        shown = [np.random.default_rng(seed).standard_normal((1, _PX, _PX, _CHANNELS), np.float32) for seed in range(4)]
        with silence():
            quantize(load(fp32, 1), fp32, int8, shown, most_taps=_ALL)
        yield f"{window}x{window} alone", {"FP32": fp32, "INT8": int8}


def _networks(arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[str, dict[str, Path]]]:
    cache = Cache(arguments.artifacts)
    for model in [model for pattern in arguments.model for model in find(pattern)]:
        jobs = {each: Job(model=model, format="tflite", precision=each, batch=1) for each in ("fp32", "int8")}
        fp32, recipe = (Path(cache.obtain(job).path) for job in jobs.values())
        every = folder / f"{model.name}.tflite"
        images = calibration_images(jobs["int8"], 8)
        with silence():
            quantize(load(fp32, 1), fp32, every, [channels_last(images[[at]]) for at in range(8)], most_taps=_ALL)
        yield model.name, {"FP32": fp32, "all INT8": every, "the recipe": recipe}


def _alternately(files: Mapping[str, Path], threads: int, passes: int) -> dict[str, list[float]]:
    """The milliseconds of each file in each pass."""
    runs = {kind: _run_of(path, threads) for kind, path in files.items()}
    found: dict[str, list[float]] = {kind: [] for kind in runs}
    for number in range(-_WARMUP, passes):
        for kind, run in runs.items():
            begun_s = time.perf_counter()
            run()
            if number >= 0:
                found[kind].append((time.perf_counter() - begun_s) * 1e3)
    return found


def _run_of(path: Path, threads: int) -> Callable[[], object]:
    interpreter = load(path, threads)
    (details,) = interpreter.get_input_details()
    _, height_px, width_px, channels = details["shape"]
    shown = np.random.default_rng(1).standard_normal((1, channels, height_px, width_px), np.float32)
    interpreter.set_tensor(details["index"], input_of(details, shown))
    invoke: Callable[[], object] = interpreter.invoke
    return invoke


if __name__ == "__main__":
    main()
