"""One target's sweep: export, load, and visit the networks in passes until each is done or the budget is gone."""

import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.measure import visit
from bench.passes import is_done, next_pass
from bench.progress import stage
from bench.protocol import Protocol
from bench.records.ledger import Ledger
from bench.records.network_run import NetworkRun, network_of
from bench.records.record import Record
from bench.records.sole_writer import sole_writer
from bench.sessions import Sessions
from bench.trust.measurement import Measurement
from bench.trust.reference import Reference, reference_artifacts, reference_for
from devices.preparation import prepared
from devices.runtime import runtime_of
from devices.targets import Target
from devices.worker import SessionLost
from exporters.artifact import Artifact
from exporters.parallel import obtain_all
from models.given.factory import NetworkError
from models.model import Model
from system.child import Failure
from system.errors import UserError


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


def sweep(request: SweepRequest) -> list[Record]:
    """Measure every model of `request` and return their records, which lie in `results/TARGET.jsonl` by then.

    Raises UserError where another sweep writes there, or a sweep can't be resumed as asked.
    """
    with sole_writer(request.results, request.target.name):
        workloads = reference_artifacts(request.target, request.artifacts)
        ledger = Ledger(request.results, request.target.name, workloads)
        begin = ledger.resume if request.resume else ledger.begin
        begin(request.target, request.protocol)
        runs = [ledger.run(network_of(model)) for model in request.models]
        _export(request, ledger)
        loading_s = _load_and_measure(request, ledger, runs, workloads) if _pending(runs, ledger) else 0.0
        ledger.end()
        _say_share(ledger, loading_s)  # after all that may end in an error
        return [ledger.records[run.name] for run in runs]


def _load_and_measure(
    request: SweepRequest, ledger: Ledger, runs: Sequence[NetworkRun], workloads: dict[str, Artifact]
) -> float:
    """Measure; returns the seconds that loading and warming up took."""
    protocol = request.protocol
    sessions = Sessions(request.target, protocol, ledger.opened)
    try:
        with reference_for(
            request.target, workloads, timeout_s=protocol.timeout_s, gather_share=protocol.gather_share
        ) as reference:
            _load(_pending(runs, ledger), ledger, sessions)
            _measure(request, ledger, runs, sessions, reference)
    finally:
        sessions.close_all()
    return sessions.loading_s


def _pending(runs: Sequence[NetworkRun], ledger: Ledger) -> list[NetworkRun]:
    return [run for run in runs if run.name not in ledger.records and not run.done]


def _export(request: SweepRequest, ledger: Ledger) -> None:
    """Give every pending network its artifact, or a record with the reason why it has none."""
    jobs = []
    for model in request.models:
        if model.name not in ledger.records:
            try:
                jobs.append(request.target.job(model, request.checkpoints.get(model), request.calibration))
            except NetworkError as error:
                _fail(ledger, ledger.runs[model.name], str(error))
    with stage("export", len(jobs)) as bar:
        made = prepared(request.target, obtain_all(jobs, request.artifacts))
        for done, (job, outcome) in enumerate(made, start=1):
            run = ledger.runs[job.model.name]
            if isinstance(outcome, Failure):
                _fail(ledger, run, outcome.reason)
            else:
                _refuse_another_file(run, outcome)
                run.artifact = outcome
            bar.at(done, run.name)


def _fail(ledger: Ledger, run: NetworkRun, reason: str) -> None:
    run.reason = reason
    ledger.finish(run)


def _refuse_another_file(run: NetworkRun, artifact: Artifact) -> None:
    if run.visits and run.artifact is not None and run.artifact.sha256 != artifact.sha256:
        raise UserError(
            f"--resume would mix visits of two files of {run.name}",
            found=f"{run.artifact.sha256[:12]} then, {artifact.sha256[:12]} now",
            fix="leave --resume out",
        )


def _load(runs: Sequence[NetworkRun], ledger: Ledger, sessions: Sessions) -> None:
    """Load and warm up the sessions that there is room for at once, so that the first pass is like the others."""
    with stage("load", len(runs)) as bar:
        for done, run in enumerate(runs, start=1):
            if sessions.has_room(run):
                with _recording_loss(run, ledger, sessions):
                    sessions.of(run)
            bar.at(done, run.name)


def _measure(
    request: SweepRequest, ledger: Ledger, runs: Sequence[NetworkRun], sessions: Sessions, reference: Reference
) -> None:
    """Go in passes. Every network gets one visit at least, whatever the budget."""
    protocol, clock_s = request.protocol, runtime_of(request.target).now_s
    origin_s = clock_s() - ledger.elapsed_s - sessions.loading_s
    waited_s = 0.0

    def elapsed_s() -> float:
        # Where there isn't room for all sessions they are loaded again and again, and a phone cools before a visit: the
        # budget is of sampling, and leaves both aside.
        return clock_s() - origin_s - sessions.loading_s - waited_s

    def unfinished(measured: Mapping[str, Measurement]) -> list[NetworkRun]:
        # Before a pass, since a resumed sweep may have been measured to its end.
        for run in _pending(runs, ledger):
            if (run.visits and elapsed_s() >= protocol.budget_s) or is_done(run, measured, protocol):
                sessions.close(run)
                ledger.finish(run)
        return _pending(runs, ledger)

    chance = random.Random(protocol.seed)
    with stage("measure", protocol.budget_s) as bar:
        while pending := unfinished(measured := ledger.measurements()):
            for run in sessions.open_first(next_pass(pending, measured, protocol, chance)):
                if not run.visits or elapsed_s() < protocol.budget_s:
                    with _recording_loss(run, ledger, sessions):
                        done = visit(sessions.of(run), protocol, elapsed_s, reference)
                        ledger.visited(run, done)
                        waited_s += done.waited_s
                bar.at(elapsed_s(), run.name)
    ledger.elapsed_s = elapsed_s()


def _say_share(ledger: Ledger, loading_s: float) -> None:
    share = ledger.sampling_share()
    if share is not None:
        loading = f"; loading and warming up took {loading_s:.0f} s beside them" if loading_s else ""
        print(f"{share:.0%} of {ledger.elapsed_s:.0f} s went into inferences{loading}", file=sys.stderr)  # noqa: T201


@contextmanager
def _recording_loss(run: NetworkRun, ledger: Ledger, sessions: Sessions) -> Iterator[None]:
    try:
        yield
    except SessionLost as lost:
        run.reason = str(lost)
        sessions.close(run)
        ledger.finish(run)
