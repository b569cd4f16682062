"""One target's sweep: export, load, and visit the networks in passes until each is done or the budget is gone."""

import random
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bench.passes import is_done, next_pass
from bench.progress import Bar, stage
from bench.protocol import Protocol
from bench.records.journal import Opened
from bench.records.ledger import Ledger, one_fit
from bench.records.network_run import NetworkRun, network_of
from bench.records.record import Record
from bench.records.sole_writer import sole_writer
from bench.stations import Event, LocalStations, Stations
from bench.trust.visit import Visit
from devices.targets import Target
from devices.worker import SessionLost
from exporters.artifact import Job
from models.given.factory import NetworkError
from models.model import Model
from system.child import Failure
from system.errors import UserError

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class SweepRequest:
    """What a sweep is asked to do; a network without a checkpoint has seeded weights."""

    target: Target
    models: Sequence[Model]
    protocol: Protocol
    results: Path
    artifacts: Path
    checkpoints: Mapping[Model, Path] = field(default_factory=dict)
    calibration: Path | None = None
    resume: bool = False
    stage: Callable[[str, float], AbstractContextManager[Bar]] = stage

    def job(self, model: Model) -> Job:
        """The file that the sweep needs of a model. Raises NetworkError where the target can't run it."""
        return self.target.job(model, self.checkpoints.get(model), self.calibration)

    def jobs(self) -> list[Job]:
        """The files of the models that there can be one of; of the others the sweep says why."""
        jobs = []
        for model in self.models:
            with suppress(UserError):
                jobs.append(self.job(model))
        return jobs


def sweep(request: SweepRequest) -> list[Record]:
    """Measure every model of `request` on this machine and return their records, which lie in `results/TARGET.jsonl`.

    Raises UserError where another sweep writes there, or a sweep can't be resumed as asked.
    """
    return sweep_at(LocalStations(request.target, request.protocol, request.artifacts), request, list)


def sweep_at(stations: Stations, request: SweepRequest, keep: Callable[[list[Record]], Kept]) -> Kept:
    """The same with visits at `stations`; what `keep` makes of the records.

    They are held no longer than that: where many sweeps end at once, closing their stations takes its time.
    """
    with sole_writer(request.results, request.target.name), stations:
        return keep(_records(request, stations))


def _records(request: SweepRequest, stations: Stations) -> list[Record]:
    ledger = Ledger(request.results, request.target.name, stations)
    begin = ledger.resume if request.resume else ledger.begin
    begin(request.target, request.protocol)
    runs = [ledger.run(network_of(model)) for model in request.models]
    _export(request, ledger, stations)
    if pending := _pending(runs, ledger):
        stations.begin(ledger.elapsed_s)
        _load(request, ledger, pending, stations)
        _measure(request, ledger, runs, stations)
    ledger.end()
    _say_share(request.target.name, ledger, stations.loading_s)  # after all that may end in an error
    return [ledger.records[run.name] for run in runs]


def _pending(runs: Sequence[NetworkRun], ledger: Ledger) -> list[NetworkRun]:
    return [run for run in runs if run.name not in ledger.records and not run.done]


def _export(request: SweepRequest, ledger: Ledger, stations: Stations) -> None:
    """Give every pending network its artifact, or a record with the reason why it has none."""
    jobs = []
    for model in request.models:
        if model.name not in ledger.records:
            try:
                jobs.append(request.job(model))
            except NetworkError as error:
                _fail(ledger, ledger.runs[model.name], str(error))
    with request.stage("export", len(jobs)) as bar:
        for done, (job, outcome) in enumerate(stations.exported(jobs), start=1):
            run = ledger.runs[job.model.name]
            if isinstance(outcome, Failure):
                _fail(ledger, run, outcome.reason)
            else:
                ledger.obtained(run, outcome)
            bar.at(done, run.name)


def _fail(ledger: Ledger, run: NetworkRun, reason: str) -> None:
    run.reason = reason
    ledger.finish(run)


def _load(request: SweepRequest, ledger: Ledger, runs: Sequence[NetworkRun], stations: Stations) -> None:
    with request.stage("load", len(runs)) as bar:
        for done, (run, event) in enumerate(stations.loaded(runs), start=1):
            _keep(run, event, ledger, stations)
            bar.at(done, run.name)


def _measure(request: SweepRequest, ledger: Ledger, runs: Sequence[NetworkRun], stations: Stations) -> None:
    """Go in passes. Every network gets one visit at least, whatever the budget."""
    protocol = request.protocol

    def may_go(run: NetworkRun) -> bool:
        return not run.visits or stations.elapsed_s < protocol.budget_s

    chance = random.Random(protocol.seed)

    def chosen() -> list[NetworkRun]:
        """The networks of the next pass; what was measured so far isn't held meanwhile."""
        with one_fit:
            measured, pending = ledger.measurements(), _pending(runs, ledger)
            # Before a pass, since a resumed sweep may have been measured to its end.
            ended = {run.name: run for run in pending if not may_go(run) or is_done(run, measured, protocol)}
            going = [run for run in pending if run.name not in ended]
            networks = next_pass(going, measured, protocol, chance) if going else []
        for run in ended.values():
            stations.close(run)
            ledger.finish(run)
        return networks

    with request.stage("measure", protocol.budget_s) as bar:
        while networks := chosen():
            for run, event in stations.visited(networks, may_go):
                _keep(run, event, ledger, stations)
                bar.at(stations.elapsed_s, run.name)
    ledger.elapsed_s = stations.elapsed_s


def _keep(run: NetworkRun, event: Event | None, ledger: Ledger, stations: Stations) -> None:
    """Take down what happened to a network before anything else happens."""
    match event:
        case Opened():
            ledger.opened(event)
        case Visit():
            ledger.visited(run, event)
        case SessionLost():
            stations.close(run)
            _fail(ledger, run, str(event))


def _say_share(target: str, ledger: Ledger, loading_s: float) -> None:
    share = ledger.sampling_share()
    if share is not None:
        loading = f"; loading and warming up took {loading_s:.0f} s beside them" if loading_s else ""
        sampled = f"{share:.0%} of {ledger.elapsed_s:.0f} s went into inferences"
        print(f"{target}: {sampled}{loading}", file=sys.stderr)  # noqa: T201
