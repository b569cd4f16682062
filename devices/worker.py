"""A session in a process of its own, so that a crash, a hang or an out-of-memory kill costs one network."""

import multiprocessing
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import ClassVar, cast

from devices import siblings
from devices.runtime import runtime_of
from devices.samples import Samples
from devices.session import DeviceFull, Session
from devices.slowdown import slowed
from devices.targets import Target
from exporters.artifact import Artifact
from system.child import Failure, guard_child, reason_of, reason_of_death
from system.errors import UserError


class SessionLost(Exception):  # noqa: N818 - it ends the measurement of one network, not the program
    """A session that can't go on, with the reason in one line."""


class NoRoom(SessionLost):
    """A session that its device's memory has no room for."""


@dataclass(frozen=True)
class _Full(Failure):
    """A Failure for want of the device's memory."""


def open_session(artifact: Artifact, target: Target, *, timeout_s: float) -> Session:
    """Load an artifact on a target, in a child process unless the runtime says otherwise.

    Raises SessionLost where it can't be loaded, whatever the cause: NoRoom where the device's memory is full.
    """
    if not runtime_of(target).in_process:
        return WorkerSession(artifact, target, timeout_s=timeout_s)
    try:
        return open_here(artifact, target)
    except DeviceFull as error:
        raise NoRoom(str(error)) from error
    except UserError as error:
        raise SessionLost(str(error)) from error


def open_here(artifact: Artifact, target: Target) -> Session:
    """Load an artifact on a target in this process, with the slowdown that its options plant.

    Raises UserError where it can't be loaded.
    """
    runtime = runtime_of(target)
    share = runtime.read_options(target).planted_slowdown
    session = runtime.open_session(artifact, target)
    return slowed(session, share) if share else session


class Worker:
    """A process of its own that answers what it is asked through a pipe; it uses no CPU between two questions.

    `serve` runs there, with the other end of the pipe and what is `given`, and sends an introduction first.
    """

    def __init__(self, serve: Callable[..., None], *given: object, timeout_s: float) -> None:
        """Start it and wait for its introduction. Raises SessionLost where there is none, whatever the cause."""
        self._timeout_s = timeout_s
        self._pipe, self._process = self._start(serve, given)
        try:
            self._introduction = self._answer()
        except BaseException:
            self.close()
            raise

    def _start(self, serve: Callable[..., None], given: tuple[object, ...]) -> tuple[Connection, BaseProcess]:
        # A process started afresh is the same whatever ran before it; a forked one would inherit what was imported.
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=serve, args=(there, *given), daemon=True)
        process.start()
        there.close()
        return here, process

    def close(self) -> None:
        """End the process; a second call does nothing."""
        self._pipe.close()
        self._process.join(timeout=2)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _ask(self, question: object) -> object:
        """Its answer. Raises SessionLost where that process died, failed or hung."""
        try:
            self._pipe.send(question)
        except OSError as error:
            raise SessionLost(reason_of_death(self._process)) from error
        return self._answer()

    def _answer(self) -> object:
        if not self._pipe.poll(self._timeout_s):
            self._process.kill()
            raise SessionLost(f"hung: no answer within {self._timeout_s:g} s")
        try:
            answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise SessionLost(reason_of_death(self._process)) from error
        if isinstance(answer, Failure):
            raise (NoRoom if isinstance(answer, _Full) else SessionLost)(answer.reason)
        return answer


class WorkerSession(Worker):
    """A Session that another process holds.

    Before each run it is told which processes on its device are those of the other sessions of this process.
    """

    _siblings: ClassVar[set[int]] = set()

    def __init__(self, artifact: Artifact, target: Target, *, timeout_s: float) -> None:
        super().__init__(serve, artifact, target, timeout_s=timeout_s)
        introduction = cast(tuple[dict[str, str | int], str, bool, set[int]], self._introduction)
        self.ran_on, self.clock, self.aggregates, own = introduction
        self._siblings.update(own)

    def run(self, count: int) -> Samples:
        """Run `count` inferences there. Raises SessionLost where that process died, failed or hung."""
        return cast(Samples, self._ask((count, self._siblings)))


def serve(pipe: Connection, artifact: Artifact, target: Target) -> None:
    """Hold a session in this process, and run it as the other end of the pipe asks, until that end is closed."""
    answer_each(pipe, _runs(pipe, artifact, target))


def answer_each(pipe: Connection, answers: Iterator[object]) -> None:
    """Send each answer, in a process of a Worker's own, until the pipe's other end is closed or one fails."""
    guard_child()
    # One BLAS or OpenMP thread beside the runtime's own: theirs would compete with it.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the other end is closed
        for answer in _or_the_reason(answers):
            pipe.send(answer)


def _or_the_reason(answers: Iterator[object]) -> Iterator[object]:
    """The answers, and why there are no more where one fails."""
    try:
        yield from answers
    except (EOFError, ConnectionResetError):  # from the pipe
        raise
    except Exception as error:
        if not isinstance(error, UserError | MemoryError):
            traceback.print_exc()
        yield (_Full if isinstance(error, DeviceFull) else Failure)(reason_of(error))


def _runs(pipe: Connection, artifact: Artifact, target: Target) -> Iterator[object]:
    """What the session says of itself, then the samples of each run that is asked for."""
    session = open_here(artifact, target)
    yield session.ran_on, session.clock, session.aggregates, siblings.own
    while True:
        count, told = pipe.recv()
        siblings.others.update(told)
        yield session.run(count)
