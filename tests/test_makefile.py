"""What `make` says before it installs anything, with a Python of another version in place of this one."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A Python as old as its version says: it can tell it, and our files are no syntax of its.
_PYTHON = """#!/bin/sh
case $1 in
  --version) echo Python {version};;
  -c) exit {too_old};;
  -m) echo "ran $*"; [ {too_old} = 0 ] || {{ echo 'Traceback (most recent call last):' >&2; exit 1; }};;
esac
"""


@pytest.fixture
def make(tmp_path):
    """Runs a goal with a Python of the version; exit code, stdout and stderr."""

    def run(goal, version, *, too_old):
        python = tmp_path / "python3"
        python.write_text(_PYTHON.format(version=version, too_old=int(too_old)))
        python.chmod(0o755)
        command = ["make", "--no-print-directory", f"PYTHON={python}", goal]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.mark.parametrize("goal", ["preflight-v100", "preflight-t4", "preflight-gpu", "preflight-phone", "venv"])
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
        ("preflight-v100", "-m devices.nvidia.preflight Tesla V100"),
        ("preflight-gpu", "-m devices.nvidia.preflight"),
        ("preflight-phone", "-m devices.phone.preflight"),
    ],
)
def test_a_python_that_is_new_enough_runs_the_preflight(make, goal, ran):
    assert make(goal, "3.12.1", too_old=False) == (0, f"ran {ran}\n", "")


def test_an_environment_that_is_there_is_not_asked_about_todays_python(make, tmp_path):
    there = tmp_path / "venv/bin/python"
    there.parent.mkdir(parents=True)
    there.touch()
    code, _, stderr = make(str(there), "3.8.10", too_old=True)
    assert (code, stderr) == (0, "")
