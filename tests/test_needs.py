"""A test that lacks a browser, a compiler or a wheel is left out with one line, and missed where all are required."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from exporters import to_tensorrt_rtx
from system.errors import UserError
from tests import needs, tensorrt_bindings
from tests.needs import NOT_FOR_THIS_PYTHON, REQUIRE_ALL, left_out, refused

ROOT = Path(__file__).parents[1]
PAGE = ("tests/reports/page/test_page.py", "-k", "groups_tables")
TRT = ("tests/devices/profilers/test_trt.py", "-k", "reports_its_layers")


@pytest.fixture
def run_tests(tmp_path):
    """Runs tests with no program on the PATH but those of the environment; exit code and what was printed."""

    def run(*arguments, **variables):
        environment = os.environ | {"PATH": str(tmp_path)} | variables
        for name in {REQUIRE_ALL, "PYTEST_ADDOPTS"} - variables.keys():
            environment.pop(name, None)
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    return run


@pytest.mark.parametrize(
    ("workers", "tests", "says"),
    [
        ("1", PAGE, "left out: no chromium here: apt-get install chromium chromium-driver brings it"),
        ("0", TRT, "left out: no nm here: apt-get install gcc binutils brings it"),
    ],
)
def test_what_is_missing_is_said_in_one_line(run_tests, workers, tests, says):
    code, printed = run_tests("-n", workers, *tests)
    (line,) = [line for line in printed.splitlines() if "left out" in line]
    assert line.endswith(says)
    assert int(line.split()[0]) >= 1
    assert code == 0


@pytest.mark.parametrize("workers", ["0", "1"])
def test_what_is_missing_fails_the_run_that_requires_all(run_tests, workers):
    code, printed = run_tests("-n", workers, *PAGE, **{REQUIRE_ALL: "1"})
    assert code == 1
    assert f"error: {REQUIRE_ALL} is set, and tests were left out" in printed


def test_a_wheel_that_was_not_fetched_names_the_command_that_does(monkeypatch, tmp_path):
    monkeypatch.setattr(tensorrt_bindings, "WHEELS", tmp_path)
    newest = tensorrt_bindings.VERSIONS[-1]
    with pytest.raises(pytest.skip.Exception) as raised:
        tensorrt_bindings.wheel_of(newest)
    fetch = f"-m pip download --no-deps --dest {tmp_path} tensorrt-cu12-bindings=={newest} brings it"
    assert str(raised.value) == f"no wheel of tensorrt-cu12-bindings {newest} here: {sys.executable} {fetch}"


def test_a_wheel_that_this_python_has_none_of_names_one_that_has(monkeypatch):
    monkeypatch.setattr(tensorrt_bindings.sys, "version_info", type("Version", (), {"minor": 13}))
    with pytest.raises(pytest.skip.Exception) as raised:
        tensorrt_bindings.wheel_of("10.4.0")
    says = "make test PYTHON=python3.12 VENV=.venv-python3.12 runs them"
    assert str(raised.value) == f"tensorrt-cu12-bindings 10.4.0 {NOT_FOR_THIS_PYTHON}, 3.13: {says}"


def test_only_what_this_python_could_run_is_required(monkeypatch):
    monkeypatch.delenv(REQUIRE_ALL, raising=False)
    reports = [
        pytest.TestReport("", ("", 0, ""), {}, "skipped", ("file", 1, f"Skipped: {why}"), "setup")
        for why in ("no nm here", "no nm here", f"a {NOT_FOR_THIS_PYTHON}")
    ]
    assert left_out(reports) == {"no nm here": 2, f"a {NOT_FOR_THIS_PYTHON}": 1}
    assert not refused(left_out(reports))
    monkeypatch.setenv(REQUIRE_ALL, "1")
    assert refused(left_out(reports))
    assert not refused(left_out(reports[2:]))


@pytest.mark.parametrize(
    ("version", "says", "required"),
    [
        ((3, 14), "no TensorRT for RTX: nowhere; get it: make test installs it", True),
        (
            (3, 15),
            f"TensorRT for RTX {NOT_FOR_THIS_PYTHON}, linux x86_64, Python 3.15: make test installs it on Linux",
            False,
        ),
    ],
)
def test_tensorrt_for_rtx_is_required_where_it_has_wheels(monkeypatch, version, says, required):
    def library():
        raise UserError("no TensorRT for RTX", found="nowhere", fix="get it")

    monkeypatch.setattr(to_tensorrt_rtx, "library", library)
    monkeypatch.setattr(needs.sys, "version_info", Version(version))
    monkeypatch.setattr(needs.sys, "platform", "linux")
    monkeypatch.setattr(needs.platform, "machine", lambda: "x86_64")
    monkeypatch.setenv(REQUIRE_ALL, "1")
    with pytest.raises(pytest.skip.Exception) as raised:
        needs.tensorrt_rtx()
    assert str(raised.value) == says
    assert refused(Counter([says])) == required


class Version(tuple):
    """As much of sys.version_info as is asked for."""

    @property
    def minor(self) -> int:
        return self[1]
