"""What some tests need beside Python, make and the package index: where it is missing they are left out, and said so.

ZENNET_REQUIRE_ALL_TESTS=1 make test   # fails if any was left out that this Python could run
"""

import os
import platform
import shutil
import sys
from collections import Counter
from typing import Any, NoReturn

import pytest

REQUIRE_ALL = "ZENNET_REQUIRE_ALL_TESTS"
# What no command brings to this Python may be missing everywhere.
NOT_FOR_THIS_PYTHON = "has no wheel for this Python"
_WITHOUT_RTX = (3, 15)  # as in pyproject.toml


def program(*names: str, fix: str) -> str:
    """The path of the first of these programs that is here; the test is left out where none is, `fix` brings it."""
    found = next(filter(None, map(shutil.which, names)), None)
    return found or leave_out(f"no {names[0]} here", fix)


def leave_out(why: str, fix: str) -> NoReturn:
    """Leave out the test that asks, or each that needs the fixture that asks."""
    pytest.skip(f"{why}: {fix}")


def tensorrt_rtx() -> Any:
    """The Python module of TensorRT for RTX, whose builder needs no GPU; the test is left out where it is missing."""
    from exporters.to_tensorrt_rtx import library
    from system.errors import UserError

    try:
        return library()
    except UserError as error:
        here = f"{sys.platform} {platform.machine()}, Python 3.{sys.version_info.minor}"
        if (sys.platform, platform.machine()) == ("linux", "x86_64") and sys.version_info < _WITHOUT_RTX:
            leave_out(str(error), "make test installs it")
        leave_out(f"TensorRT for RTX {NOT_FOR_THIS_PYTHON}, {here}", "make test installs it on Linux")


def ray() -> Any:
    """Ray, whose clusters listen on this machine alone; the test is left out where it is missing."""
    # Read when it is imported: without it, Ray listens on every address of this machine.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray as found
    except ImportError:
        leave_out("no Ray here", "pip install '.[fleet]' brings it")
    return found


def left_out(reports: list[pytest.TestReport]) -> Counter[str]:
    """How many tests were left out for each reason."""
    # A skip is reported with the file, the line and "Skipped: REASON".
    return Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports)


def refused(reasons: Counter[str]) -> bool:
    """Whether this run had to have every test, and lacks some that it could have had."""
    obtainable = [reason for reason in reasons if NOT_FOR_THIS_PYTHON not in reason]
    return bool(obtainable) and os.environ.get(REQUIRE_ALL, "0") not in {"", "0"}
