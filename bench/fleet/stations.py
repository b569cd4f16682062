"""`FleetStations`: the devices of one target on the hosts of a fleet, for a sweep whose visits are made there."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from pathlib import PurePosixPath
from time import monotonic
from types import TracebackType
from typing import NamedTuple

import msgspec

from bench.fleet.crew import Crew
from bench.fleet.exports import Exports, portable_of
from bench.fleet.messages import Happened
from bench.fleet.plausible import possible
from bench.fleet.remote import Remote
from bench.fleet.server import wanted_of
from bench.fleet.watch import NOBODY, Watch
from bench.records.network_run import NetworkRun
from bench.stations import Event
from bench.sweep import SweepRequest
from devices.host.conditions import Machine, Moment
from devices.worker import SessionLost
from exporters.artifact import Artifact, Job
from system.child import Failure
from system.cluster import LineLost
from system.errors import UserError

_LOOK_S = 1.0  # how often it is looked whether another device has joined, or one hangs
_MOST_LOSSES = 2  # programs that may end during visits of one network before the network is given up
# A visit may load its network, warm it up and sample it, and each of these may take `timeout_s`.
_TIMEOUTS_A_VISIT = 3


class _Visiting(NamedTuple):
    remote: Remote
    run: NetworkRun
    until_s: float


class FleetStations:
    """Stations on other hosts. What a lost host had measured is kept; its visit is made again elsewhere."""

    machine: Machine
    workloads: Mapping[str, Artifact]

    def __init__(
        self, request: SweepRequest, crew: Crew, exports: Exports, stop: threading.Event, watch: Watch = NOBODY
    ) -> None:
        self._request, self._crew, self._exports, self._stop = request, crew, exports, stop
        self._watch = watch
        self._jobs: dict[str, Job] = {}
        self._files: dict[str, Artifact] = {}  # by network
        self._losses: Counter[str] = Counter()
        self._begun_s = self._gone_loading_s = 0.0
        self._first: Remote | None = None
        self._builds = False
        self._refusal = Failure("no device")

    def __enter__(self) -> "FleetStations":
        """Wait for the device. Where it can't be had, every network's file is a failure that says why.

        Raises UserError where it can't be had to go on with an earlier sweep.
        """
        jobs = self._known_jobs()
        self._builds = any(portable_of(job) != job for job in jobs)
        # Nobody holds a device while files are made: the hosts that make them may be waiting for it.
        for portable in filter(None, map(portable_of, jobs)):
            self._exports.of(portable)
        try:
            self._first = self._crew.first(builds=self._builds)
            self.machine, self.workloads = self._first.machine, self._first.workloads
        except (UserError, LineLost) as error:
            if self._stop.is_set() or self._request.resume:
                raise UserError("no device to go on with", found=str(error), fix="try again") from error
            self._refusal = Failure(str(error))
            self.machine, self.workloads = Machine(), {}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._first is not None:
            self._first.end()
        self._crew.close()

    @property
    def elapsed_s(self) -> float:
        return max([self._begun_s, *(remote.elapsed_s for remote in self._crew.members())])

    @property
    def loading_s(self) -> float:
        return self._gone_loading_s + sum(remote.loading_s for remote in self._crew.members())

    def moment(self) -> Moment:
        for remote in [*self._crew.members(), *([self._first] if self._first else [])]:
            with suppress(LineLost, UserError):
                return remote.moment()
        return Moment()

    def begin(self, elapsed_s: float) -> None:
        self._begun_s = elapsed_s
        first, self._first = self._first, None
        if first is None:
            self._crew.why = self._refusal.reason
        else:
            self._crew.begin(first, self._prepare, built=self._builds)

    def exported(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Artifact | Failure]]:
        for job in jobs:
            outcome = self._obtained_somewhere(job)
            if isinstance(outcome, Artifact):
                self._jobs[job.model.name], self._files[job.model.name] = job, outcome
            yield job, outcome

    def loaded(self, runs: Sequence[NetworkRun]) -> Iterator[tuple[NetworkRun, Event | None]]:
        queues = {id(remote): list(runs) for remote in self._crew.members()}

        def next_of(remote: Remote) -> NetworkRun | None:
            queue = [run for run in queues.get(id(remote), []) if run.reason is None]
            queues[id(remote)] = queue[1:]
            return queue[0] if queue else None

        yield from self._all(next_of, Remote.load, lambda run: None)

    def visited(
        self, runs: Sequence[NetworkRun], may_go: Callable[[NetworkRun], bool]
    ) -> Iterator[tuple[NetworkRun, Event]]:
        waiting = list(runs)

        def next_of(remote: Remote) -> NetworkRun | None:
            while waiting:
                # The one that this device visited least, so that each network gets visits of all devices.
                run = waiting.pop(min(range(len(waiting)), key=lambda place: remote.visits[waiting[place].name]))
                if may_go(run):
                    return run
            return None

        yield from self._all(next_of, Remote.go, waiting.append)
        reason = f"no device is left to measure it: {self._crew.why}"
        yield from ((run, SessionLost(reason)) for run in waiting)

    def close(self, run: NetworkRun) -> None:
        for remote in self._crew.members():
            remote.close_network(run)

    def _known_jobs(self) -> list[Job]:
        jobs = []
        for model in self._request.models:
            with suppress(UserError):  # the sweep says so of that network
                jobs.append(self._request.job(model))
        return jobs

    def _obtained_somewhere(self, job: Job) -> Artifact | Failure:
        """The file of a job, once more by another program where the first device's is lost over it."""
        outcome = self._refusal
        for _ in range(_MOST_LOSSES):
            if self._first is None:
                return self._refusal
            try:
                return self._obtained(job, self._first)
            except LineLost as lost:
                outcome = Failure(f"{_MOST_LOSSES} hosts' processes were lost while they made the file: {lost}")
                self._first = self._another_first(self._first)
        return outcome

    def _another_first(self, lost: Remote) -> Remote | None:
        lost.close()
        try:
            return self._crew.first(builds=self._builds)
        except (UserError, LineLost) as error:
            if self._stop.is_set():
                raise
            self._refusal = Failure(str(error))
            return None

    def _obtained(self, job: Job, remote: Remote) -> Artifact | Failure:
        """The file of a job: a portable one from the driver's cache, any other made on the device's host.

        Raises LineLost where that is lost.
        """
        try:
            portable = portable_of(job)
            if portable is None:
                return self._built(job, remote)
            outcome = self._exports.of(portable)
            if isinstance(outcome, Failure) or portable == job:
                return outcome
            remote.deliver_source(wanted_of(portable), outcome)
            return self._built(job, remote)
        except UserError as error:
            if self._stop.is_set():
                raise
            return Failure(str(error))

    def _built(self, job: Job, remote: Remote) -> Artifact | Failure:
        (came,) = remote.make([wanted_of(job)])
        if came.artifact is None:
            return Failure(came.reason)
        # Its path there says nothing here, and must not name a file here.
        return msgspec.structs.replace(came.artifact, path=PurePosixPath(came.artifact.path).name)

    def _prepare(self, remote: Remote) -> None:
        """Bring a device's program what it needs before its first visit. Raises LineLost or UserError."""
        for name, artifact in self._files.items():
            job = self._jobs[name]
            if portable_of(job) == job:
                remote.deliver(artifact)
            else:
                again = self._obtained(job, remote)
                if isinstance(again, Artifact) and again.sha256 != artifact.sha256:
                    raise UserError(f"another file of {name} is made there", found=remote.host, fix="begin again")
        remote.clock(self._begun_s)

    def _all(
        self,
        next_of: Callable[[Remote], NetworkRun | None],
        ask: "Callable[[Remote, NetworkRun], Future[bytes]]",
        again: Callable[[NetworkRun], None],
    ) -> Iterator[tuple[NetworkRun, Event]]:
        """Keep every device busy until there is nothing next; `again` takes back a network whose device was lost."""
        running: dict[Future[bytes], _Visiting] = {}
        limit_s = _TIMEOUTS_A_VISIT * self._request.protocol.timeout_s
        while True:
            if self._stop.is_set():
                raise UserError("the sweep was interrupted", found="Ctrl-C", fix="go on with --resume")
            busy = {id(each.remote) for each in running.values()}
            for remote in [each for each in self._crew.members() if id(each) not in busy]:
                if (run := next_of(remote)) is not None:
                    self._watch.begins(remote, run.name)
                    running[ask(remote, run)] = _Visiting(remote, run, monotonic() + limit_s)
            if not running:
                if self._crew.members() or self._crew.hopeless:
                    return
                self._crew.members(wait_s=_LOOK_S)
                continue
            done, _ = wait(running, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
            hung = {each for each, visiting in running.items() if monotonic() > visiting.until_s} - done
            for answered in [*done, *hung]:
                yield from self._came(answered, running.pop(answered), again)

    def _came(
        self, answered: "Future[bytes]", visiting: _Visiting, again: Callable[[NetworkRun], None]
    ) -> Iterator[tuple[NetworkRun, Event]]:
        remote, run, _ = visiting
        try:
            if not answered.done():
                raise LineLost(f"hung: no answer from {remote.host} within the limit")
            happened = remote.happened(answered)
            self._watch.done(remote, visit=happened.visit is not None)
            yield from ((run, event) for event in _events(happened, run, remote))
        except LineLost as lost:
            self._gone_loading_s += remote.loading_s
            self._begun_s = max(self._begun_s, remote.elapsed_s)
            self._watch.lost(remote, str(lost))
            self._crew.lose(remote, self._prepare)
            self._losses[run.name] += 1
            if self._losses[run.name] < _MOST_LOSSES:
                again(run)
            else:
                yield run, SessionLost(f"{self._losses[run.name]} hosts' processes were lost during its visits: {lost}")
        except UserError as error:
            yield run, SessionLost(str(error))


def _events(happened: Happened, run: NetworkRun, remote: Remote) -> list[Event]:
    """What an answer says of a network; what the driver knows itself is taken from there.

    Raises UserError where the visit holds what can't have been measured.
    """
    assert run.artifact is not None
    events: list[Event] = [
        msgspec.structs.replace(opened, network=run.network, artifact=run.artifact) for opened in happened.opened
    ]
    if happened.visit is not None:
        events.append(msgspec.structs.replace(possible(happened.visit), device=remote.device))
    if happened.lost is not None:
        events.append(SessionLost(happened.lost))
    return events
