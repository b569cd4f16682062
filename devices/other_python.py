"""A session under another environment's Python, so that two versions of a runtime can be compared.

That interpreter sees this suite's code, through links in a folder of its own, and none of this environment's packages.
"""

import functools
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, cast

import msgspec

import devices
import exporters
import models
import system
from devices.runtime import absence_of
from devices.targets import Target
from devices.worker import WorkerSession, serve
from exporters.artifact import Artifact
from system.errors import UserError, one_line
from system.unreadable import UNREADABLE


class OtherPythonSession(WorkerSession):
    """A Session that a process of another interpreter holds; it raises SessionLost where a `WorkerSession` does."""

    def __init__(self, python: Path, artifact: Artifact, target: Target, *, timeout_s: float) -> None:
        self._python = python
        super().__init__(artifact, target, timeout_s=timeout_s)

    def _start(self, serve: Callable[..., None], given: tuple[object, ...]) -> tuple[Connection, BaseProcess]:
        here, there = multiprocessing.Pipe()
        process = _Process(self._python, there)
        there.close()
        with suppress(OSError):  # one that has died already is met at its first answer
            here.send(given)
        return here, cast(BaseProcess, process)


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What another interpreter says of itself: why it can't run the target, if it can't, and its machine."""

    absence: str | None
    machine: dict[str, Any]


def describe(python: Path, target: Target) -> dict[str, Any]:
    """What `devices.host.conditions.machine` says of the machine there, its versions among it.

    Raises UserError where that interpreter can't import the suite or can't run the target.
    """
    command = [str(python), "-c", "from devices.other_python import print_description; print_description()"]
    ended = subprocess.run(
        command, input=msgspec.json.encode(target), capture_output=True, env=_environment(), check=False
    )
    if ended.returncode:
        lines = ended.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {ended.returncode}"]
        raise UserError(f"{python} can't run this suite", found=one_line(lines[-1]), fix="install there what it lacks")
    found = read_description(python, ended.stdout)
    if found.absence:
        wrong = f"target {target.name} can't run under {python}"
        raise UserError(wrong, found=found.absence, fix="install there what it lacks")
    return found.machine


def read_description(python: Path, printed: bytes) -> Description:
    """What that interpreter printed last; libraries may print before. Raises UserError where it can't be read."""
    try:
        return msgspec.json.decode(printed.rstrip().rpartition(b"\n")[2], type=Description)
    except UNREADABLE as error:
        what, fix = f"{python} doesn't say what it is", "give one that has this suite's packages"
        raise UserError(what, found=one_line(error, 160), fix=fix) from error


def print_description() -> None:
    """Write to stdout what `describe` asks for; the target is on stdin. Runs under the other interpreter."""
    from devices.host.conditions import machine

    target = msgspec.json.decode(sys.stdin.buffer.read(), type=Target)
    print(json.dumps({"absence": absence_of(target), "machine": msgspec.to_builtins(machine())}))  # noqa: T201


def answer(handle: int) -> None:
    """Serve one session to the process at the other end of an inherited pipe. Runs under the other interpreter."""
    pipe = Connection(handle)
    artifact, target = pipe.recv()
    serve(pipe, artifact, target)


class _Process:
    """A process of that interpreter, with as much of multiprocessing's interface as a WorkerSession uses."""

    def __init__(self, python: Path, pipe: Connection) -> None:
        command = [str(python), "-c", f"from devices.other_python import answer; answer({pipe.fileno()})"]
        self._popen = subprocess.Popen(command, env=_environment(), stdin=subprocess.DEVNULL, pass_fds=[pipe.fileno()])

    @property
    def exitcode(self) -> int | None:
        return self._popen.poll()

    def is_alive(self) -> bool:
        return self.exitcode is None

    def join(self, timeout: float | None = None) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout)

    def kill(self) -> None:
        self._popen.kill()


def _environment() -> dict[str, str]:
    """This process's environment variables, with this suite's packages alone on the path."""
    # A working directory with a `models` folder of its own must not win over the suite's.
    return os.environ | {"PYTHONPATH": _packages().name, "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}


@functools.cache
def _packages() -> "tempfile.TemporaryDirectory[str]":
    """A folder of links to the packages that a worker imports; it goes when this process ends."""
    folder = tempfile.TemporaryDirectory(prefix="packages-")
    for package in (system, models, exporters, devices):
        (Path(folder.name) / package.__name__).symlink_to(Path(package.__path__[0]).absolute())
    return folder
