"""One network on one target after the other, in a child process whose time and memory are limited."""

import logging
import multiprocessing
import re
import signal
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from statistics import median

import psutil
from msgspec.structs import replace

from devices.targets import Target
from devices.worker import SessionLost, open_session
from exporters.artifact import Artifact, versions
from exporters.cache import Cache
from exporters.fidelity import Unfaithful
from exporters.formats import find_format
from models import find
from studies.breadth.attempts import Attempt, Network
from system.child import guard_child, reason_of, reason_of_death

_INFERENCES = 3
_TOOLS = ("timm", "torch", "onnxruntime", "openvino", "litert-torch", "ai-edge-litert")


@dataclass(frozen=True)
class Limits:
    """What one network on one target may take, all its processes together."""

    seconds: float
    bytes: int


def trials(network: Network, targets: Sequence[Target], root: Path, limits: Limits) -> Iterator[Attempt]:
    """An attempt for each target, in order; what one target's export made serves the next from the cache at `root`."""
    waiting = list(targets)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(sorted({name for each in targets for name in find_format(each.format).preload}))
    while waiting:
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_try_each, args=(there, network, waiting, root))
        process.start()
        there.close()
        try:
            while waiting:
                outcome = _watched(here, process, limits)
                target = waiting.pop(0)
                if isinstance(outcome, str):
                    yield Attempt(network=network.name, target=target.name, failed_at="export", reason=outcome)
                    break  # the others in a new process
                yield outcome
        finally:
            _end(process)


def _watched(pipe: Connection, process: BaseProcess, limits: Limits) -> Attempt | str:
    """What the process sends, or why it was ended or died."""
    started = time.monotonic()
    while not pipe.poll(0.5):
        if time.monotonic() - started > limits.seconds:
            return f"not done within {limits.seconds:g} s"
        if (taken := _resident_bytes(process)) > limits.bytes:
            return f"takes more than {limits.bytes / 1e9:.1f} GB of memory: {taken / 1e9:.1f} GB"
    try:
        attempt: Attempt = pipe.recv()
    except EOFError:
        return reason_of_death(process)
    return attempt


def _tree(process: BaseProcess) -> list[psutil.Process]:
    with suppress(psutil.Error):
        parent = psutil.Process(process.pid)
        return [*parent.children(recursive=True), parent]
    return []


def _resident_bytes(process: BaseProcess) -> int:
    total = 0
    for each in _tree(process):
        with suppress(psutil.Error):
            total += each.memory_info().rss
    return total


def _end(process: BaseProcess) -> None:
    """End a process and its children, unless it ends by itself now."""
    process.join(timeout=2)
    for each in _tree(process):
        with suppress(psutil.Error):
            each.send_signal(signal.SIGKILL)
    process.join()


def _try_each(pipe: Connection, network: Network, targets: Sequence[Target], root: Path) -> None:
    guard_child()
    warnings.simplefilter("ignore")  # torch and onnxscript warn about their own code
    logging.disable(logging.WARNING)
    for target in targets:
        pipe.send(attempt_on(network, target, root))


def attempt_on(network: Network, target: Target, root: Path) -> Attempt:
    """Export a network for a target, load it and time a few inferences, in this process and its session's."""
    started = time.monotonic()
    tried = Attempt(network=network.name, target=target.name, versions=versions(_TOOLS))
    try:
        (model,) = find(network.source)
        artifact = Cache(root).obtain(target.job(model))
    except Exception as error:  # any: that is what is counted
        traceback.print_exc()
        step = "agreement" if isinstance(error, Unfaithful) else "export"
        return replace(tried, failed_at=step, reason=_reason_of(error))
    tried = replace(
        tried,
        fidelity=artifact.fidelity,
        size_bytes=artifact.size_bytes,
        export_s=round(time.monotonic() - started, 1),
    )
    try:
        return replace(tried, median_s=_median_s(artifact, target))
    except Exception as error:
        return replace(tried, failed_at="session", reason=_reason_of(error))


def _reason_of(error: Exception) -> str:
    """The reason without this machine's folders."""
    return re.sub(r"\S*/site-packages/", "", reason_of(error)).removeprefix(f"{SessionLost.__name__}: ")


def _median_s(artifact: Artifact, target: Target) -> float:
    session = open_session(artifact, target, timeout_s=300.0)
    try:
        session.run(1)
        return median(session.run(_INFERENCES).seconds)
    finally:
        session.close()
