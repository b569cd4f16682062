"""The extras of pyproject.toml: their names, and what the tests marked gpu are read and run with."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.version import InvalidVersion, Version

from devices.environment import find_environment, goals, read_environments
from devices.targets import find_targets
from tests.needs import REQUIRE_ALL

ROOT = Path(__file__).parents[1]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
NVIDIA = ("nvidia-v100", "nvidia-v100-tensorrt", "nvidia-t4", "nvidia-gpu", "nvidia-gpu-tensorrt")

# Reads the tests as pytest does where the modules named by the arguments are not installed.
_READ = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1:]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
import pytest
sys.exit(pytest.main(["-n", "0", "-m", "gpu", "--collect-only", "-p", "no:cacheprovider"]))
"""


def distributions(extra: str) -> set[str]:
    """The distributions of an extra, with those of the extras of ours that it takes in."""
    found = set()
    for requirement in EXTRAS[extra]:
        if match := re.match(r"zennet-latency\[(.*)\]", requirement):
            found |= {name for part in match[1].split(",") for name in distributions(part)}
        else:
            found.add(re.match(r"[\w-]+", requirement)[0])
    return found


@pytest.mark.parametrize("extra", EXTRAS)
def test_no_extra_reads_as_a_version(extra):
    # pip 24.1 to 25.3 then compare every other extra with it as versions: InvalidVersion: 'cpu'.
    with pytest.raises(InvalidVersion):
        Version(extra)


def test_every_environment_names_an_extra_and_pins_that_are_there():
    for environment in read_environments().values():
        assert environment.extra in EXTRAS
        assert (ROOT / "constraints" / f"{environment.pins}.txt").exists()


@pytest.mark.parametrize("target", find_targets("*"), ids=lambda target: target.name)
def test_tensorrt_is_installed_for_the_targets_that_use_it_and_no_other(target, tmp_path):
    (asked, *_) = goals(target.name, str(tmp_path / "venv"))
    extra = find_environment(asked.removeprefix("preflight-")).extra
    uses = "tensorrt" in (target.format, target.options.get("provider", "").lower().removesuffix("executionprovider"))
    assert any(name.startswith("tensorrt-cu") for name in distributions(extra)) == uses


@pytest.mark.parametrize("extra", NVIDIA)
def test_what_a_gpu_is_tested_with_leaves_its_onnxruntime_alone(extra):
    assert "onnxruntime" not in distributions(extra) | distributions("gpu-test")
    assert "onnxruntime" in distributions("test")
    assert distributions("gpu-test") < distributions("test")


def test_the_gpus_tests_are_read_with_that_alone():
    there = set.intersection(*map(distributions, NVIDIA)) | distributions("gpu-test")
    # The package of onnxruntime is there, by the name of its build for GPUs.
    modules = {name.replace("-", "_") for name in distributions("test") - there - {"onnxruntime"}}
    assert {"adbutils", "ai_edge_litert", "selenium"} < modules
    # What else the tests use is hidden, so that those of it are left out, as they may be there.
    variables = os.environ | {REQUIRE_ALL: "0"}
    done = subprocess.run(
        [sys.executable, "-c", _READ, *sorted(modules)],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "test_sessions.py" in done.stdout
