"""`Server`: answers a driver's questions on the host of a device: makes files there, and visits networks."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.fleet.depot import Depot
from bench.fleet.messages import (
    Begin,
    Begun,
    Came,
    Clock,
    Close,
    Content,
    End,
    Ended,
    Fetch,
    Go,
    Happened,
    Held,
    Hello,
    Hosted,
    Load,
    Made,
    Make,
    Now,
    Offer,
    Part,
    Refused,
    Source,
    Told,
    encode,
    read_question,
)
from bench.fleet.wanted import job_of
from bench.records.network_run import NetworkRun
from bench.records.record import Network
from bench.station import Station
from bench.trust.reference import reference_artifacts
from bench.trust.visit import Visit
from devices.host.conditions import machine, moment
from devices.preparation import prepared
from devices.runtime import Held as Device
from devices.runtime import absence_of, runtime_of
from devices.worker import SessionLost
from exporters.artifact import Artifact, Job
from exporters.parallel import obtain_all
from system.child import Failure, reason_of
from system.errors import UserError


class Server:
    """Answers one driver, a question at a time. `own` is the folder of files of this host, where none is shared."""

    def __init__(self, own: Path) -> None:
        self._depot = Depot(own)
        self._closing = ExitStack()
        self._asked: Begin | None = None
        self._held: Device | None = None
        self._workloads: dict[str, Artifact] = {}
        self._station: Station | None = None
        self._runs: dict[str, NetworkRun] = {}
        self._answers: dict[type, Callable[[Any], object]] = {
            Hello: self._hello,
            Begin: self._begin,
            Clock: self._clock,
            Make: self._make,
            Fetch: lambda asked: Content(content=self._depot.read(asked.sha256, asked.offset)),
            Offer: lambda asked: self._depot.offered(asked.artifact),
            Part: lambda asked: self._depot.add(asked.sha256, asked.offset, asked.content),
            Source: self._source,
            Load: lambda asked: self._visit(asked.network, asked.artifact, self._load),
            Go: lambda asked: self._visit(asked.network, asked.artifact, self._go),
            Close: self._close,
            End: self._end,
            Now: lambda asked: Told(moment=moment()),
        }

    def answer(self, message: bytes) -> bytes:
        """The answer to a message. Whatever goes wrong is an answer too."""
        try:
            question = read_question(message)
            return encode(self._answers[type(question)](question))
        except Exception as error:
            return encode(Refused(reason=reason_of(error)))

    def close(self) -> None:
        """End every session and give the device back."""
        self._closing.close()

    def _hello(self, asked: Hello) -> Hosted:
        shares = self._depot.share(Path(asked.artifacts), asked.token)
        return Hosted(machine=machine(), shares_artifacts=shares, niceness=os.nice(0))

    def _begin(self, asked: Begin) -> Begun:
        if absence := absence_of(asked.target):
            raise UserError(f"target {asked.target.name} can't run there", found=absence, fix="see devices --ray")
        self._held = self._closing.enter_context(runtime_of(asked.target).hold(asked.target))
        self._workloads = reference_artifacts(asked.target, self._depot.root)
        self._asked = asked
        return Begun(workloads=self._workloads, device=self._held.device)

    def _clock(self, asked: Clock) -> Happened:
        begun = self._begun()
        assert self._held is not None
        station = Station(self._held, begun.protocol, self._workloads, asked.elapsed_s)
        self._station = self._closing.enter_context(station)
        return self._happened(None, None)

    def _make(self, asked: Make) -> Made:
        came = [Came()] * len(asked.jobs)
        jobs: dict[Job, int] = {}
        for place, wanted in enumerate(asked.jobs):
            try:
                jobs[job_of(wanted)] = place
            except UserError as error:
                came[place] = Came(reason=str(error))
        for job, outcome in self._made(list(jobs)):
            if isinstance(outcome, Failure):
                came[jobs[job]] = Came(reason=outcome.reason)
            else:
                self._depot.keep(outcome)
                came[jobs[job]] = Came(artifact=outcome)
        return Made(outcomes=came)

    def _made(self, jobs: list[Job]) -> Iterator[tuple[Job, Artifact | Failure]]:
        made = obtain_all(jobs, self._depot.root)
        return made if self._asked is None else prepared(self._asked.target, made)

    def _source(self, asked: Source) -> Held:
        return self._depot.adopt(job_of(asked.job), asked.artifact)

    def _load(self, run: NetworkRun) -> None:
        self._at().load(run)

    def _go(self, run: NetworkRun) -> Visit | None:
        return self._at().visit(run)

    def _visit(self, network: Network, artifact: Artifact, do: Callable[[NetworkRun], Visit | None]) -> Happened:
        run = self._runs.setdefault(network.name, NetworkRun(network))
        run.artifact = self._depot.here(artifact)
        try:
            return self._happened(do(run), None)
        except SessionLost as lost:
            self._at().close(run)
            return self._happened(None, str(lost))

    def _close(self, asked: Close) -> Happened:
        if run := self._runs.pop(asked.network.name, None):
            self._at().close(run)
        return self._happened(None, None)

    def _end(self, asked: End) -> Ended:
        self._asked = self._station = None
        self._runs.clear()
        self._closing.close()
        return Ended()

    def _happened(self, visit: Visit | None, lost: str | None) -> Happened:
        station = self._at()
        return Happened(
            opened=station.opened(),
            visit=visit,
            lost=lost,
            elapsed_s=station.elapsed_s,
            loading_s=station.loading_s,
        )

    def _begun(self) -> Begin:
        if self._asked is None:
            raise UserError("no device is held", found="no Begin so far", fix="begin first")
        return self._asked

    def _at(self) -> Station:
        if self._station is None:
            raise UserError("nothing can be visited", found="no Clock so far", fix="start the clock first")
        return self._station
