"""What `make` says before it installs anything, with a Python of another version in place of this one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from devices.environment import find_environment, goals, read_environments
from devices.targets import find_targets

ROOT = Path(__file__).parents[1]

# A Python as old as its version says: it can tell it, and our files are no syntax of its.
_PYTHON = """#!/bin/sh
case $1 in
  --version) echo Python {version};;
  -c) exit {too_old};;
  -m) echo "ran $*"; [ {too_old} = 0 ] || {{ echo 'Traceback (most recent call last):' >&2; exit 1; }};;
esac
"""


# What `make test` was given, such as ARGS, is in the environment of the tests.
_VARIABLES = ("MAKE", "MFLAGS", "PYTHON", "RESULTS", "OUT", "ARGS", "GROUP", "VENV", "TARGET")


def run_make(*arguments):
    """Make's exit code, stdout and stderr, whatever was asked of a make that runs the tests."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_VARIABLES)}
    command = ["make", "--no-print-directory", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def make(tmp_path):
    """Runs a goal with a Python of the version; exit code, stdout and stderr."""

    def run(goal, version, *variables, too_old):
        python = tmp_path / "a folder" / "python3"
        python.parent.mkdir()
        python.write_text(_PYTHON.format(version=version, too_old=int(too_old)))
        python.chmod(0o755)
        return run_make(goal, f"PYTHON={python}", *variables)

    return run


@pytest.mark.parametrize(
    "goal", ["preflight-v100", "preflight-t4", "preflight-gpu", "preflight-rtx", "preflight-phone", "venv"]
)
def test_a_python_that_is_too_old_is_one_error_before_anything_runs(make, tmp_path, goal):
    code, stdout, stderr = make(f"{tmp_path}/venv/bin/python" if goal == "venv" else goal, "3.8.10", too_old=True)
    errors = [line for line in stderr.splitlines() if line.startswith("error: ")]
    assert code != 0
    assert errors == ["error: Python 3.11 or newer is needed: found Python 3.8.10; give one with PYTHON=..."]
    assert "Traceback" not in stderr
    assert "ran" not in stdout


@pytest.mark.parametrize(
    ("goal", "ran"),
    [
        ("preflight-v100", "devices.nvidia.preflight Tesla V100"),
        ("preflight-gpu", "devices.nvidia.preflight"),
        ("preflight-phone", "devices.phone.preflight"),
    ],
)
def test_a_python_that_is_new_enough_runs_the_preflight(make, goal, ran):
    name = goal.removeprefix("preflight-")
    assert make(goal, "3.12.1", too_old=False) == (0, f"ran -m devices.environment preflight {name} .venv\n", "")
    assert " ".join(find_environment(name).preflight) == ran


def test_an_environment_that_is_there_is_not_asked_about_todays_python(make, tmp_path):
    there = tmp_path / "venv/bin/python"
    there.parent.mkdir(parents=True)
    there.touch()
    code, _, stderr = make(str(there), "3.8.10", too_old=True)
    assert (code, stderr) == (0, "")


A10 = """
[a10]
title = "NVIDIA A10 FP16"
runtime = "ort"
format = "onnx"
precision = "fp16"
batch = 64
device = "NVIDIA A10"
environment = "gpu"
"""


def would_run(goal, *variables):
    """What make would run for a goal on a machine without any environment, and what it says on stderr."""
    _, stdout, stderr = run_make("--dry-run", f"PYTHON={sys.executable}", goal, *variables)
    return stdout, stderr


@pytest.mark.parametrize(
    ("target", "pins", "extra", "preflight"),
    [
        ("cpu-torch", "cpu", "cpu", "cpu"),
        ("fake", "cpu", "cpu", "cpu"),
        ("cpu@8", "cpu", "cpu", "cpu"),
        ("v100-tensorrt@8", "v100", "nvidia-v100-tensorrt", "v100-tensorrt"),
        ("cpu-tflite-int8", "cpu", "phone", "litert"),
        ("pixel2-gpu", "cpu", "phone", "phone"),
        ("android", "cpu", "phone", "phone"),
        ("v100-torch", "v100", "nvidia-v100", "v100"),
        ("v100-tensorrt", "v100", "nvidia-v100-tensorrt", "v100-tensorrt"),
        ("t4-*[06e]", "t4", "nvidia-t4", "t4"),
        ("gpu-torch", "gpu", "nvidia-gpu", "gpu"),
        ("gpu-tensorrt", "gpu", "nvidia-gpu-tensorrt", "gpu-tensorrt"),
        ("*rtx*", "rtx", "nvidia-rtx", "rtx"),
        ("h100-int8", "gpu", "nvidia-gpu-tensorrt", "gpu-tensorrt"),
        ("jetson-orin", "gpu", "nvidia-gpu-tensorrt", "gpu-tensorrt"),
        ("galaxy-s24*", "cpu", "phone", "phone"),
        ("openvino*", "cpu", "openvino", "openvino"),
        ("cpu-executorch", "executorch", "executorch", "executorch"),
        ("coreml", "cpu", "cpu", "cpu"),
        ("qnn", "cpu", "qnn", "qnn"),
        ("a10", "gpu", "nvidia-gpu", "gpu"),
    ],
)
def test_a_target_gets_the_environment_that_its_table_names(tmp_path, target, pins, extra, preflight):
    (tmp_path / "more.toml").write_text(A10)
    venv = tmp_path / "venv"
    folder = venv if pins == "cpu" else f"{venv}-{pins}"
    ran, _ = would_run(f"bench-{target}", f"VENV={venv}", f"ARGS=--targets {tmp_path}/more.toml")
    asked = f"-m devices.environment preflight {preflight} {venv} "
    pip = f"{folder}/bin/python -m pip install --quiet --disable-pip-version-check --no-compile"
    installed = f"{pip} -c constraints/{pins}.txt -e"
    measured = f"{folder}/bin/python -m bench {target} "
    assert ran.index(asked) < ran.index(f"{installed} '.[{extra}]'") < ran.index(measured)
    assert ran.count("pip install") == 1
    assert ("devices.host.probe" in ran) == target.startswith(("cpu", "openvino"))


def test_every_target_names_an_environment_that_is_there():
    named = {goals(target.name, ".venv")[0] for target in find_targets("*")}
    assert {environment.goals(".venv")[0] for environment in read_environments().values()} == named


def test_an_unknown_target_is_one_error_with_near_names_and_nothing_is_installed(tmp_path):
    code, stdout, stderr = run_make(f"PYTHON={sys.executable}", f"VENV={tmp_path}/venv", "bench-v10")
    error, *rest = stderr.splitlines()
    assert error == "error: no such target: 'v10'; did you mean v100 or h100 or a100?"
    assert code != 0
    assert [line for line in rest if not line.startswith("make:")] == []
    assert not stdout
    assert not list(tmp_path.iterdir())


def test_targets_of_two_environments_are_refused():
    _, error = would_run("bench-*")
    named = "cpu, executorch, gpu, gpu-tensorrt, litert, openvino, phone, qnn, rtx, t4, v100, v100-tensorrt"
    assert f"error: * needs more than one environment: {named}; measure" in error


def test_an_environment_that_no_table_describes_is_refused(tmp_path):
    (tmp_path / "more.toml").write_text(A10.replace('"gpu"', '"gpus"'))
    _, error = would_run("bench-a10", f"ARGS=--targets={tmp_path}/more.toml")
    assert "error: no such environment: 'gpus'; did you mean gpu or cpu or gpu-tensorrt?\n" in error


def test_a_python_that_is_too_old_is_one_error_before_the_target_is_asked_for(make, tmp_path):
    _, stdout, stderr = make("bench-cpu", "3.8.10", f"VENV={tmp_path}/venv", too_old=True)
    errors = [line for line in stderr.splitlines() if not line.startswith("make:")]
    assert errors == ["error: Python 3.11 or newer is needed: found Python 3.8.10; give one with PYTHON=..."]
    assert not stdout


@pytest.mark.parametrize(
    ("name", "python", "says"),
    [
        ("v100", (3, 13), None),
        ("v100", (3, 14), "onnxruntime-gpu 1.23 has no wheels for Python 3.14; use PYTHON=python3.13"),
        ("v100-tensorrt", (3, 12), None),
        ("v100-tensorrt", (3, 13), "TensorRT 10.4 has no wheels for Python 3.13; use PYTHON=python3.12"),
        ("v100-tensorrt", (3, 14), "TensorRT 10.4 has no wheels for Python 3.14; use PYTHON=python3.12"),
        ("t4", (3, 13), None),
        ("t4", (3, 14), "TensorRT 10.16 has no wheels for Python 3.14; use PYTHON=python3.13"),
        ("gpu", (3, 14), None),
        ("rtx", (3, 14), None),
        ("cpu", (3, 14), None),
        ("phone", (3, 14), None),
    ],
)
def test_wheels_that_a_python_lacks_are_told_before_they_are_asked_for(name, python, says):
    assert find_environment(name).missing_wheels(python) == says


def test_the_versions_whose_wheels_are_known_are_those_pinned():
    for environment in read_environments().values():
        pinned = (ROOT / "constraints" / f"{environment.pins}.txt").read_text(encoding="utf-8").lower()
        for wheel in environment.wheels:
            name, version = wheel.lower().split()
            assert re.search(rf"(?m)^{name}\S*=={re.escape(version)}\.", pinned), wheel


@pytest.mark.parametrize("written", ["version = 3.13.0", "version_info = 3.13.0.final.0"])
def test_an_environment_that_is_there_is_asked_for_its_own_python(tmp_path, written):
    """A target without TensorRT made it with a Python that TensorRT has no wheels for."""
    venv = tmp_path / "venv"
    folder = tmp_path / "venv-v100"
    folder.mkdir()
    (folder / "pyvenv.cfg").write_text(f"home = /usr/bin\n{written}\n")
    command = [sys.executable, "-m", "devices.environment", "preflight", "v100-tensorrt", str(venv)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    says = f"TensorRT 10.4 has no wheels for Python 3.13; use PYTHON=python3.12, and remove {folder} first"
    assert (done.returncode, done.stderr) == (1, f"error: {says}\n")
    (folder / ".installed-nvidia-v100-tensorrt").touch()
    assert "wheels" not in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stderr


def test_only_an_environment_that_is_not_there_yet_asks_for_wheels(tmp_path):
    assert goals("cpu", f"{tmp_path}/venv") == ["preflight-cpu", f"{tmp_path}/venv/.installed-cpu", "on-the-host"]
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/bin/python").touch()
    assert goals("cpu", f"{tmp_path}/venv") == [f"{tmp_path}/venv/.installed-cpu", "on-the-host"]


def test_what_make_asks_needs_nothing_but_python():
    command = [sys.executable, "-I", "-S", "-c", "import sys; sys.path.insert(0, sys.argv.pop(1)); import runpy; "]
    command[-1] += "runpy.run_module('devices.environment', run_name='__main__', alter_sys=True)"
    done = subprocess.run(
        [*command, str(ROOT), "for", "t4", ".venv"], capture_output=True, text=True, check=True, cwd="/"
    )
    assert done.stdout == "preflight-t4 .venv-t4/.installed-nvidia-t4\n"


def test_a_figure_is_measured_on_its_target_and_drawn_of_the_same_group():
    ran, _ = would_run("figure", "TARGET=cpu-torch", "GROUP=@mobile", "ARGS=--budget 60")
    assert "-m bench cpu-torch --model '@mobile' --results results --budget 60;" in ran
    assert "-m reports figure --model '@mobile' --results results --out out" in ran
    assert "-m bench cpu --model '@figure' --results results" in would_run("figure")[0]
