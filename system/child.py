"""Work in child processes, so that a crash or an out-of-memory kill costs one item and its reason is known."""

import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TypeVar

from system.errors import UserError, one_line

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Failure:
    """Why an item has no result, in one line."""

    reason: str


def run_each(
    function: Callable[[Item], Result], items: Iterable[Item], *, at_once: int, preload: list[str]
) -> Iterator[tuple[Item, Result | Failure]]:
    """Call `function` (importable by name) on each item in a process of its own, `at_once` at a time.

    Yields each item with its result or Failure as it ends; processes fork from a server that has imported the
    modules in `preload` once. Leaving the loop early ends the children.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(preload)
    waiting = list(items)
    running: dict[Connection, tuple[Item, BaseProcess]] = {}
    process: BaseProcess
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                item = waiting.pop(0)
                here, there = context.Pipe(duplex=False)
                process = context.Process(target=_call, args=(there, function, item), daemon=True)
                process.start()
                there.close()
                running[here] = (item, process)
            for connection in wait(list(running)):
                assert isinstance(connection, Connection)
                item, process = running.pop(connection)
                yield item, _outcome(connection, process)
    finally:
        for _, process in running.values():
            process.terminate()


def guard_child() -> None:
    """Prepare a child: it ignores Ctrl-C, prints to stderr only, and is the first that the OOM killer ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.dup2(sys.stderr.fileno(), 1)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def reason_of(error: BaseException) -> str:
    """An exception in one line: a UserError's own text, anything else with its type."""
    if isinstance(error, UserError):
        return one_line(error)
    if isinstance(error, MemoryError):
        return "out of memory"
    return one_line(f"{type(error).__name__}: {error}")


def reason_of_death(process: BaseProcess) -> str:
    """Why a process ended without an answer."""
    process.join()
    code = process.exitcode or 0
    if code == -signal.SIGKILL:
        return "killed, most likely out of memory"
    if code < 0:
        return f"crashed ({signal.Signals(-code).name})"
    return f"ended without an answer (exit code {code})"


def _call(connection: Connection, function: Callable[[Item], Result], item: Item) -> None:
    guard_child()
    outcome: Result | Failure
    try:
        outcome = function(item)
    except Exception as error:
        if not isinstance(error, UserError | MemoryError):
            traceback.print_exc()
        outcome = Failure(reason_of(error))
    connection.send(outcome)


def _outcome(connection: Connection, process: BaseProcess) -> Result | Failure:
    try:
        outcome: Result | Failure = connection.recv()
    except EOFError:
        return Failure(reason_of_death(process))
    process.join()
    return outcome
