"""What CI installs over the CPU's environment, to run the tests in the versions that NVIDIA environments pin."""

import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from devices.environment import read_environments
from tools.check_environments import ENVIRONMENTS, differing

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["v100", "t4"])
def test_each_gets_the_onnxruntime_that_it_pins_in_its_build_for_the_cpu(name):
    assert name in {environment.pins for environment in read_environments().values()}
    pins = (ROOT / "constraints" / f"{name}.txt").read_text()
    version = re.search(r"(?m)^onnxruntime-gpu==(\S+)", pins)[1]
    assert differing(name, torch=False) == [f"onnxruntime=={version}"]
    others = {requirement.partition("==")[0] for requirement in differing(name, torch=True)}
    assert others <= {"onnxruntime", "torch", "torchvision"}


def test_the_v100s_torch_is_installed_only_where_it_is_asked_for():
    assert "torch==2.10.0" in differing("v100", torch=True)


def test_executorch_is_installed_beside_the_cpus_versions():
    assert {requirement.partition("==")[0] for requirement in differing("executorch", torch=True)} == {
        "executorch",
        "torchao",
    }


def test_the_tests_that_it_runs_are_there():
    named = {argument for arguments in ENVIRONMENTS.values() for argument in arguments if argument.startswith("tests/")}
    assert len(named) > 5
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_list_installs_nothing():
    command = [sys.executable, "tools/check_environments.py", "--list"]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == list(ENVIRONMENTS)


def test_only_torchs_warning_about_its_own_export_is_tolerated():
    warnings.warn("`isinstance(treespec, LeafSpec)` is deprecated, use another", FutureWarning, stacklevel=1)
    with pytest.raises(FutureWarning):
        warnings.warn("something else is deprecated", FutureWarning, stacklevel=1)


def test_an_environment_that_it_does_not_know_is_one_error():
    command = [sys.executable, "tools/check_environments.py", "v1000"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "expected v100, t4, executorch, found 'v1000'" in done.stderr
