"""Wall times of commands: `--help`, listings, a cache hit, an export, a rendering; each beside bare Python's."""

import subprocess
import sys
import time

import pytest

from bench.protocol import Protocol
from bench.sweep import SweepRequest, sweep
from devices.targets import find_targets
from exporters.artifact import Job
from exporters.cache import Cache
from models import find
from models.groups import DEFAULT

PACKAGES = ("models", "exporters", "devices", "bench", "reports")


def command(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def test_bare_python(benchmark):
    benchmark.group = "start"
    benchmark.pedantic(command, args=("-c", "pass"), rounds=5)


@pytest.mark.parametrize("package", PACKAGES)
def test_help(benchmark, package):
    benchmark.group = "start"
    benchmark.pedantic(command, args=("-m", package, "--help"), rounds=5)


def test_listing_models(benchmark):
    benchmark.group = "start"
    benchmark.pedantic(command, args=("-m", "models"), rounds=5)


def test_import_torch(benchmark):
    benchmark.group = "export of flops400M"
    benchmark.pedantic(command, args=("-c", "import torch, timm, onnxscript"), rounds=1)


def test_export_onnx(benchmark, tmp_path):
    benchmark.group = "export of flops400M"
    arguments = ("-m", "exporters", "*flops400M*", "--to", "onnx", "--out", str(tmp_path))
    benchmark.pedantic(command, args=arguments, rounds=1)


def test_cache_hit(benchmark, artifacts):
    benchmark.group = "cache hit of latency01ms"
    cache, job = Cache(artifacts), Job(model=find("*latency01ms*")[0], format="onnx", precision="fp32")
    cache.obtain(job)
    benchmark(cache.find, job)


def test_reading_the_same_file(benchmark, artifacts):
    benchmark.group = "cache hit of latency01ms"
    path = Cache(artifacts).path(Job(model=find("*latency01ms*")[0], format="onnx", precision="fp32"))
    benchmark(path.read_bytes)


def test_rendering(benchmark, tmp_path):
    benchmark.group = "rendering of twelve networks"
    (target,) = find_targets("fake")
    results = tmp_path / "results"
    sweep(SweepRequest(target=target, models=find(DEFAULT), protocol=Protocol(), results=results, artifacts=tmp_path))
    arguments = ("-m", "reports", "render", "--results", str(results), "--out", str(tmp_path / "out"))
    benchmark.pedantic(command, args=arguments, rounds=3)


def test_importing_pandas_and_matplotlib(benchmark):
    benchmark.group = "rendering of twelve networks"
    benchmark.pedantic(command, args=("-c", "import pandas, matplotlib.pyplot"), rounds=3)


def test_help_answers_in_less_than_0_15_seconds():
    """The fastest of ten starts, with bare Python's to compare; seconds of this machine."""

    def fastest(*arguments: str) -> float:
        taken = []
        for _ in range(10):
            begun = time.perf_counter()
            command(*arguments)
            taken.append(time.perf_counter() - begun)
        return min(taken)

    bare_s = fastest("-c", "import argparse")
    for package in PACKAGES:
        help_s = fastest("-m", package, "--help")
        print(f"python -m {package} --help: {help_s:.3f} s, {help_s / bare_s:.1f} times bare Python")
        assert help_s < 0.15
