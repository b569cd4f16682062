"""The portable files of a fleet: each made once, where cores are free, and kept in the driver's cache.

What is bound to its host (`build_host` of a format), such as a TensorRT plan, is made on the device that runs it.
"""

import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue

import msgspec

from bench.fleet.hosts import Hosts
from bench.fleet.remote import Remote
from bench.fleet.server import wanted_of
from exporters.artifact import Artifact, Job, versions
from exporters.cache import Cache
from exporters.formats import chain, find_format
from exporters.parallel import obtain_all
from system.child import Failure
from system.cluster import Demand, LineLost
from system.errors import UserError

Outcome = Artifact | Failure


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
    """Files below `artifacts`, asked for by any of a fleet's sweeps."""

    def __init__(self, hosts: Hosts, artifacts: Path, stop: threading.Event) -> None:
        self._hosts, self._artifacts, self._stop = hosts, artifacts, stop
        self._outcomes: dict[Job, Future[Outcome]] = {}
        self._threads: list[threading.Thread] = []

    def begin(self, jobs: Sequence[Job]) -> None:
        """Make what of these isn't in the cache; returns once that which only this machine can make is made.

        A network's files are made on one host, since they are made of each other. Raises UserError where the cache
        can't be written.
        """
        cache = Cache(self._artifacts)
        cache.open_folder()
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
        waiting: SimpleQueue[list[Job]] = SimpleQueue()
        for group in groups.values():
            waiting.put(group)
        nodes = [node for node in self._hosts.nodes() if node.resources.get("CPU")]
        self._threads = [
            threading.Thread(target=self._work, args=(waiting, node.name), daemon=True) for node in nodes[: len(groups)]
        ]
        for thread in self._threads:
            thread.start()
        threading.Thread(target=self._end, args=(waiting,), daemon=True).start()

    def of(self, job: Job) -> Outcome:
        """What came of a job, once it is known."""
        return self._outcomes[job].result()

    def _make_here(self, jobs: Sequence[Job]) -> None:
        for job, outcome in obtain_all(jobs, self._artifacts):
            self._outcomes[job].set_result(outcome)

    def _work(self, waiting: "SimpleQueue[list[Job]]", node: str) -> None:
        """Make one network's files after the other on a host, as long as it can."""
        try:
            line = self._hosts.hold(Demand({}, whole_host=True, node=node), "cpu", name="exports", stop=self._stop)
        except UserError:
            return  # another host does it, or this machine
        group: list[Job] = []
        try:
            remote = Remote(line, self._artifacts)
            while not self._stop.is_set():
                try:
                    group = waiting.get_nowait()
                except Empty:
                    return
                self._make_there(remote, group)
                group = []
        except (LineLost, UserError):
            if group:
                waiting.put(group)
        finally:
            line.close()

    def _make_there(self, remote: Remote, group: list[Job]) -> None:
        made = remote.make([wanted_of(job) for job in group])
        for job, outcome in zip(group, made, strict=True):
            made_there = outcome.artifact
            taken = Failure(outcome.reason) if made_there is None else self._take(remote, job, made_there)
            self._outcomes[job].set_result(taken)

    def _take(self, remote: Remote, job: Job, made: Artifact) -> Artifact:
        """Bring a file from a host into this cache. Raises UserError where it isn't what this machine would make."""
        tools = versions(find_format(job.format).tools)
        if made.made_by != tools or (made.model, made.format, made.precision) != (
            job.model.name,
            job.format,
            job.precision,
        ):
            what = f"{remote.host} exports otherwise"
            raise UserError(what, found=f"{made.made_by}, here {tools}", fix="install the same versions")
        cache = Cache(self._artifacts)
        if remote.shares_artifacts and (shared := cache.find(job)) is not None:
            return shared
        with tempfile.TemporaryDirectory(dir=self._artifacts, prefix=".fetching-") as folder:
            path = Path(folder) / "file"
            remote.fetch(made, path)
            return cache.adopt(job, msgspec.structs.replace(made, path=str(path)))

    def _end(self, waiting: "SimpleQueue[list[Job]]") -> None:
        """What no host could make is made here."""
        for thread in self._threads:
            thread.join()
        left = list(_rest(waiting))
        jobs = [job for group in left for job in group]
        if not self._stop.is_set():
            try:
                self._make_here(jobs)
            except UserError as error:
                _fail([self._outcomes[job] for job in jobs], str(error))
        _fail(list(self._outcomes.values()), "the sweep was ended before its file was made")


def _rest(waiting: "SimpleQueue[list[Job]]") -> Iterator[list[Job]]:
    while True:
        try:
            yield waiting.get_nowait()
        except Empty:
            return


def _fail(outcomes: Sequence["Future[Outcome]"], reason: str) -> None:
    for outcome in outcomes:
        if not outcome.done():
            outcome.set_result(Failure(reason))
