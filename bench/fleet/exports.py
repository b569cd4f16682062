"""The portable files of a fleet: each made once, where cores are free, and kept in the driver's cache.

What is bound to its host (`build_host` of a format), such as a TensorRT plan, is made on the device that runs it.
"""

import glob
import os
import shutil
import socket
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLong
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType

import msgspec

from bench.fleet.hosts import Hosts
from bench.fleet.remote import Remote
from bench.fleet.wanted import wanted_of
from exporters.artifact import Artifact, Job, versions
from exporters.cache import Cache
from exporters.formats import chain, find_format
from exporters.parallel import obtain_all
from system.child import Failure, reason_of
from system.cluster import Demand, Line, LineLost, Node
from system.errors import UserError
from system.stop import AnyStop

Outcome = Artifact | Failure
_FETCHING = f".fetching-{socket.gethostname()}-"  # what begins the names of folders of files on their way
_END_S = 5.0
_LOOK_S = 1.0  # how often it is looked whether the sweep was interrupted


def portable_of(job: Job) -> Job | None:
    """The last job of the chain of `job` whose file is the same wherever it is made; None where none is.

    Raises UserError as `exporters.formats.chain`.
    """
    portable = None
    for step in chain(job):
        if not _is_portable(step):
            break
        portable = step
    return portable


def _is_portable(job: Job) -> bool:
    try:
        return not find_format(job.format).build_host(job)
    except UserError:  # it needs hardware that isn't here
        return False


class Exports:
    """Files below `artifacts`, asked for by any of a fleet's sweeps; a context that ends what is still being made."""

    def __init__(self, hosts: Hosts, artifacts: Path, stop: threading.Event) -> None:
        self._hosts, self._artifacts, self._stop = hosts, artifacts, AnyStop(stop)
        self._outcomes: dict[Job, Future[Outcome]] = {}
        self._waiting: SimpleQueue[list[Job]] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "Exports":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=_END_S)  # what is exported here this moment may take minutes more

    def begin(self, jobs: Sequence[Job]) -> None:
        """Make what of these isn't in the cache; returns once that which only this machine can make is made.

        A network's files are made on one host, since they are made of each other. Raises UserError where the cache
        can't be written.
        """
        cache = Cache(self._artifacts)
        cache.open_folder()
        _clear(self._artifacts)
        here: list[Job] = []
        groups: defaultdict[str, list[Job]] = defaultdict(list)
        for job in dict.fromkeys(jobs):
            outcome = self._outcomes.setdefault(job, Future())
            try:
                found = cache.find(job)
            except UserError as error:
                outcome.set_result(Failure(str(error)))
                continue
            if found is not None:
                outcome.set_result(found)
            elif job.weights or job.calibration or job.model.file or job.model.has_own_weights:
                here.append(job)
            else:
                groups[job.model.name].append(job)
        self._make_here(here)
        for group in groups.values():
            self._waiting.put(group)
        self._start([node for node in self._hosts.nodes() if node.resources.get("CPU")][: len(groups)])

    def of(self, job: Job) -> Outcome:
        """What came of a job, once it is known. Raises UserError where the sweep is interrupted before."""
        outcome = self._outcomes[job]
        while not outcome.done():
            with suppress(TooLong):
                outcome.result(timeout=_LOOK_S)
            if self._stop.is_set() and not outcome.done():
                raise UserError("an export was ended", found="an interruption", fix="go on with --resume")
        return outcome.result()

    def _start(self, nodes: Sequence[Node]) -> None:
        """A thread for each of these hosts, and one that makes here what none of them could."""
        hosts = [threading.Thread(target=self._work, args=(node,), daemon=True) for node in nodes]
        last = threading.Thread(target=self._make_rest, args=(hosts,), daemon=True)
        self._threads = [*hosts, last]
        for thread in self._threads:
            thread.start()

    def _make_here(self, jobs: Sequence[Job]) -> None:
        for job, outcome in obtain_all(jobs, self._artifacts):
            _settle(self._outcomes[job], outcome)

    def _work(self, node: Node) -> None:
        """Make the files of as many networks as a host has cores, over and over, as long as it can."""
        line: Line | None = None
        group: list[Job] = []
        demand = Demand({}, whole_host=True, node=node.name)
        try:
            line = self._hosts.hold(demand, "cpu", name="exports", stop=self._stop)
            remote = Remote(line, self._artifacts, self._stop)
            while not self._stop.is_set() and (group := self._next(int(node.resources["CPU"]))):
                self._make_there(remote, group)
        except Exception as error:  # another host does it, or this machine
            if not self._stop.is_set():
                why = str(error) if isinstance(error, LineLost) else reason_of(error)
                print(f"warning: a host makes no files: {why}", file=sys.stderr)  # noqa: T201
        finally:
            if line is not None:
                line.close()
            if left := [job for job in group if not self._outcomes[job].done()]:
                self._waiting.put(left)

    def _next(self, networks: int) -> list[Job]:
        """The files of so many networks that nobody makes yet, or of as many as there are."""
        jobs: list[Job] = []
        with suppress(Empty):
            for _ in range(max(1, networks)):
                jobs += self._waiting.get_nowait()
        return jobs

    def _make_there(self, remote: Remote, group: list[Job]) -> None:
        made = remote.make([wanted_of(job) for job in group])
        for job, outcome in zip(group, made, strict=True):
            made_there = outcome.artifact
            taken = Failure(outcome.reason) if made_there is None else self._take(remote, job, made_there)
            _settle(self._outcomes[job], taken)
        if self._all_done():
            self._stop.set()  # no host need be waited for any more

    def _all_done(self) -> bool:
        return all(outcome.done() for outcome in self._outcomes.values())

    def _take(self, remote: Remote, job: Job, made: Artifact) -> Artifact:
        """Bring a file from a host into this cache. Raises UserError where it isn't what this machine would make."""
        tools = versions(find_format(job.format).tools)
        if made.made_by != tools:
            what = f"{remote.host} exports otherwise"
            raise UserError(what, found=f"{made.made_by}, here {tools}", fix="install the same versions")
        if (made.model, made.format, made.precision) != (job.model.name, job.format, job.precision):
            what = f"{remote.host} made another file"
            raise UserError(what, found=f"{made.model} {made.format} {made.precision}", fix="see that host")
        cache = Cache(self._artifacts)
        if remote.shares_artifacts and (shared := cache.find(job)) is not None:
            return shared
        with tempfile.TemporaryDirectory(dir=self._artifacts, prefix=f"{_FETCHING}{os.getpid()}-") as folder:
            path = Path(folder) / "file"
            remote.fetch(made, path)
            return cache.adopt(job, msgspec.structs.replace(made, path=str(path)))

    def _make_rest(self, hosts: Sequence[threading.Thread]) -> None:
        """What no host could make is made here."""
        for thread in hosts:
            thread.join()
        jobs = [job for job, outcome in self._outcomes.items() if not outcome.done()]
        reason = "the sweep was ended before its file was made"
        try:
            if not self._stop.is_set():
                self._make_here(jobs)
        except Exception as error:  # whatever it is, nobody may wait for it for ever
            reason = reason_of(error)
        finally:
            for job in jobs:
                _settle(self._outcomes[job], Failure(reason))


def _settle(outcome: "Future[Outcome]", what: Outcome) -> None:
    if not outcome.done():
        outcome.set_result(what)


def _clear(artifacts: Path) -> None:
    """Remove what drivers of this machine that were killed left of files on their way."""
    import psutil

    for left in artifacts.glob(f"{glob.escape(_FETCHING)}*"):
        process = left.name.removeprefix(_FETCHING).partition("-")[0]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            shutil.rmtree(left, ignore_errors=True)
