"""`FleetStations`: the devices of one target on the hosts of a fleet, for a sweep whose visits are made there."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import NamedTuple

import msgspec

from bench.fleet.crew import Crew
from bench.fleet.exports import Exports
from bench.fleet.files import Files
from bench.fleet.messages import Happened
from bench.fleet.plausible import possible
from bench.fleet.remote import Remote
from bench.fleet.watch import NOBODY, Watch
from bench.records.network_run import NetworkRun
from bench.records.resume import machine_to_go_on_with
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
        self._request, self._crew, self._stop, self._watch = request, crew, stop, watch
        self._files = Files(request, exports, stop)
        self._losses: Counter[str] = Counter()
        self._begun_s = self._gone_loading_s = 0.0
        self._first: Remote | None = None
        self._refusal = Failure("no device")

    def __enter__(self) -> "FleetStations":
        """Wait for the device. Where it can't be had, every network's file is a failure that says why.

        Raises UserError where it can't be had to go on with an earlier sweep.
        """
        self._files.wait()  # nobody holds a device meanwhile: the hosts that make files may be waiting for it
        if self._request.resume:
            self._crew.go_on_with(machine_to_go_on_with(self._request.results, self._request.target.name))
        try:
            self._first = self._crew.first(builds=self._files.built_there)
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
            self._crew.begin(first, self._prepare, built=self._files.built_there)

    def exported(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Artifact | Failure]]:
        for job in jobs:
            yield job, self._obtained(job)

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

    def _obtained(self, job: Job) -> Artifact | Failure:
        """The file of a job, once more by another program where the first device's is lost over it."""
        outcome = self._refusal
        for _ in range(_MOST_LOSSES):
            if self._first is None:
                return self._refusal
            try:
                return self._files.obtain(job, self._first)
            except LineLost as lost:
                outcome = Failure(f"{_MOST_LOSSES} hosts' processes were lost while they made the file: {lost}")
                self._first = self._another_first(self._first)
        return outcome

    def _another_first(self, lost: Remote) -> Remote | None:
        lost.close()
        try:
            return self._crew.first(builds=self._files.built_there)
        except (UserError, LineLost) as error:
            if self._stop.is_set():
                raise
            self._refusal = Failure(str(error))
            return None

    def _prepare(self, remote: Remote) -> None:
        """What a device's program needs before its first visit. Raises LineLost or UserError."""
        self._files.provide(remote)
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
    artifact = remote.file_of(run)
    events: list[Event] = [
        msgspec.structs.replace(opened, network=run.network, artifact=artifact) for opened in happened.opened
    ]
    if happened.visit is not None:
        events.append(msgspec.structs.replace(possible(happened.visit), device=remote.device))
    if happened.lost is not None:
        events.append(SessionLost(happened.lost))
    return events
