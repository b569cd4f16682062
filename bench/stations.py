"""`Stations`: where the visits of a sweep are made, and by default that is this machine."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol as Interface

from bench.protocol import Protocol
from bench.records.host import Host
from bench.records.journal import Opened
from bench.records.network_run import NetworkRun
from bench.station import Station
from bench.trust.reference import reference_artifacts
from bench.trust.visit import Visit
from devices.host.conditions import Machine, Moment, machine, moment
from devices.preparation import prepared
from devices.runtime import Held, runtime_of
from devices.targets import Target
from devices.worker import SessionLost
from exporters.artifact import Artifact, Job
from exporters.parallel import obtain_all
from system.child import Failure
from system.machine import usable_cores

# What happens to a network: it was loaded, it was visited, or it can't go on.
Event = Opened | Visit | SessionLost


class Stations(Host, Interface):
    """Devices that can run a target, held while the context is open: one, or several that are equal.

    `machine` is that of the devices, `workloads` are its reference workloads' files. `elapsed_s` is the time of the
    sweep so far, loading and waiting left aside; `loading_s` what loading and warming up took.
    """

    def __enter__(self) -> "Stations": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @property
    def elapsed_s(self) -> float: ...

    @property
    def loading_s(self) -> float: ...

    def begin(self, elapsed_s: float) -> None:
        """Start the clock at so many seconds; called once, before anything is loaded."""

    def exported(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Artifact | Failure]]:
        """Each job with its file, where the devices can load it, or the reason why there is none."""

    def loaded(self, runs: Sequence[NetworkRun]) -> Iterator[tuple[NetworkRun, Event | None]]:
        """Load what there is room for at once, so that the first pass is like the others."""

    def visited(
        self, runs: Sequence[NetworkRun], may_go: Callable[[NetworkRun], bool]
    ) -> Iterator[tuple[NetworkRun, Event]]:
        """Visit each network once, as far as it may go when its turn comes."""

    def close(self, run: NetworkRun) -> None:
        """End the sessions of a network that needs no further visit."""


class LocalStations:
    """This machine's device, held as long as the context is open, and used when something is to be loaded."""

    machine: Machine
    workloads: Mapping[str, Artifact]

    def __init__(self, target: Target, protocol: Protocol, artifacts: Path) -> None:
        self._target, self._protocol, self._artifacts = target, protocol, artifacts
        self._closing = ExitStack()
        self._held = Held(target, None)
        self._station = Station(self._held, protocol, {})

    def __enter__(self) -> "LocalStations":
        """Hold the device, and make what the reference workloads need.

        Raises UserError where it can't be held or that can't be made.
        """
        with ExitStack() as closing:
            self._held = closing.enter_context(runtime_of(self._target).hold(self._target))
            self.workloads = reference_artifacts(self._target, self._artifacts)
            self.machine = machine()
            self._closing = closing.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    @property
    def elapsed_s(self) -> float:
        return self._station.elapsed_s

    @property
    def loading_s(self) -> float:
        return self._station.loading_s

    def moment(self) -> Moment:
        return moment()

    def begin(self, elapsed_s: float) -> None:
        self._station = self._closing.enter_context(Station(self._held, self._protocol, self.workloads, elapsed_s))

    def exported(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Artifact | Failure]]:
        return prepared(self._held.target, obtain_all(jobs, self._artifacts))

    def loaded(self, runs: Sequence[NetworkRun]) -> Iterator[tuple[NetworkRun, Event | None]]:
        at_once = usable_cores()
        for first in range(0, len(runs), at_once):
            group = runs[first : first + at_once]
            self._station.open_ahead(group)
            for run in group:
                yield from self._events(run, self._station.load)

    def visited(
        self, runs: Sequence[NetworkRun], may_go: Callable[[NetworkRun], bool]
    ) -> Iterator[tuple[NetworkRun, Event]]:
        for run in self._station.open_first(runs):
            if may_go(run):
                yield from self._events(run, self._station.visit)

    def close(self, run: NetworkRun) -> None:
        self._station.close(run)

    def _events(self, run: NetworkRun, do: Callable[[NetworkRun], Visit | None]) -> Iterable[tuple[NetworkRun, Event]]:
        try:
            came: Event | None = do(run)
        except SessionLost as lost:
            came = lost
        events = [*self._station.opened(), *([came] if came is not None else [])]
        return [(run, event) for event in events]
