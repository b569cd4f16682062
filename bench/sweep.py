"""One target's sweep: export, load, and visit every network once a round until each is done or the budget is gone."""

import math
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low

from bench.measure import visit
from bench.progress import stage
from bench.protocol import Protocol
from bench.records.ledger import Ledger
from bench.records.network_run import NetworkRun, network_of
from bench.records.record import Record
from bench.records.sole_writer import sole_writer
from bench.sessions import Sessions
from bench.trust.reference import Reference, reference_artifacts, reference_for
from devices.session import clock_of
from devices.targets import Target
from devices.worker import SessionLost
from exporters.artifact import Artifact
from exporters.parallel import obtain_all
from models.model import Model
from system.child import Failure
from system.errors import UserError


@dataclass(frozen=True)
class SweepRequest:
    """What a sweep is asked to do."""

    target: Target
    models: Sequence[Model]
    protocol: Protocol
    results: Path
    artifacts: Path
    weights: Path | None = None
    calibration: Path | None = None
    resume: bool = False


def sweep(order: SweepRequest) -> list[Record]:
    """Measure every model of `order` and return their records, which lie in `results/TARGET.jsonl` by then.

    Raises UserError where another sweep writes there, or a sweep can't be resumed as asked.
    """
    with sole_writer(order.results, order.target.name):
        ledger = Ledger(order.results, order.target.name)
        begin = ledger.resume if order.resume else ledger.begin
        begin(order.target, order.protocol)
        cells = [ledger.cell(network_of(model)) for model in order.models]
        _export(order, ledger)
        if _pending(cells, ledger):
            _load_and_measure(order, ledger, cells)
        ledger.end()
        return [ledger.records[cell.name] for cell in cells]


def _load_and_measure(order: SweepRequest, ledger: Ledger, cells: Sequence[NetworkRun]) -> None:
    works = reference_artifacts(order.target, order.artifacts)
    sessions = Sessions(order.target, order.protocol, ledger.opened)
    try:
        with reference_for(order.target, works, timeout_s=order.protocol.timeout_s) as reference:
            _load(_pending(cells, ledger), ledger, sessions)
            _measure(order, ledger, cells, sessions, reference)
    finally:
        sessions.close_all()


def _pending(cells: Sequence[NetworkRun], ledger: Ledger) -> list[NetworkRun]:
    return [cell for cell in cells if cell.name not in ledger.records]


def _export(order: SweepRequest, ledger: Ledger) -> None:
    """Give every pending cell its artifact, or a record with the reason why it has none."""
    models = [model for model in order.models if model.name not in ledger.records]
    jobs = [order.target.job(model, order.weights, order.calibration) for model in models]
    with stage("export", len(jobs)) as bar:
        for done, (job, outcome) in enumerate(obtain_all(jobs, order.artifacts), start=1):
            cell = ledger.cells[job.model.name]
            if isinstance(outcome, Failure):
                cell.reason = outcome.reason
                ledger.finish(cell)
            else:
                _refuse_another_file(cell, outcome)
                cell.artifact = outcome
            bar.at(done, cell.name)


def _refuse_another_file(cell: NetworkRun, artifact: Artifact) -> None:
    if cell.visits and cell.artifact is not None and cell.artifact.sha256 != artifact.sha256:
        raise UserError(
            f"--resume would mix visits of two files of {cell.name}",
            found=f"{cell.artifact.sha256[:12]} then, {artifact.sha256[:12]} now",
            fix="leave --resume out",
        )


def _load(cells: Sequence[NetworkRun], ledger: Ledger, sessions: Sessions) -> None:
    """Load and warm up every session, so that the first round is like the others."""
    with stage("load", len(cells)) as bar:
        for done, cell in enumerate(cells, start=1):
            with _recording_loss(cell, ledger, sessions):
                sessions.of(cell)
            bar.at(done, cell.name)


def _measure(
    order: SweepRequest, ledger: Ledger, cells: Sequence[NetworkRun], sessions: Sessions, reference: Reference
) -> None:
    """Go in visits. Every network gets one visit at least, whatever the budget."""
    protocol, clock_s = order.protocol, clock_of(order.target)
    origin_s = clock_s() - ledger.elapsed_s - sessions.loading_s

    def elapsed_s() -> float:
        # A device that holds one session at once loads one a visit; the budget is of sampling.
        return clock_s() - origin_s - sessions.loading_s

    shuffle = random.Random(protocol.seed).shuffle

    def done(cell: NetworkRun) -> bool:
        over = bool(cell.visits) and elapsed_s() >= protocol.budget_s
        return over or cell.finished(protocol, ledger.limits())

    with stage("measure", protocol.budget_s) as bar:
        while pending := _pending(cells, ledger):
            visited = _pass(pending, ledger, protocol)
            shuffle(visited)
            for cell in visited:
                if not done(cell):  # a resumed one may be
                    with _recording_loss(cell, ledger, sessions):
                        session, limits = sessions.of(cell), ledger.limits()
                        patience_s = _patience_s(cell, protocol, protocol.budget_s - elapsed_s())
                        ledger.visited(cell, visit(session, protocol, elapsed_s, reference, limits, patience_s))
                if done(cell):
                    sessions.close(cell)
                    ledger.finish(cell)
                bar.at(elapsed_s(), cell.name)


def _pass(pending: list[NetworkRun], ledger: Ledger, protocol: Protocol) -> list[NetworkRun]:
    """Who is visited next: of the cells that lack visits that count those with the fewest, so that beside a neighbour
    each gets one before any gets two; of the others the half with the widest intervals.
    """
    limits = ledger.limits()
    widths = {cell.name: cell.sampling(protocol, limits) for cell in pending}
    lacking = [cell for cell in pending if math.isinf(widths[cell.name])]
    enough = [cell for cell in pending if not math.isinf(widths[cell.name])]
    counted = {cell.name: cell.counted(limits) for cell in lacking}
    fewest = [cell for cell in lacking if counted[cell.name] <= median_low(counted.values())]
    return fewest + sorted(enough, key=lambda cell: -widths[cell.name])[: math.ceil(len(enough) / 2)]


def _patience_s(cell: NetworkRun, protocol: Protocol, left_s: float) -> float:
    """How long a visit waits for an undisturbed machine: the longer, the more the cell has already; never beyond the
    budget, but for the least.
    """
    return max(protocol.patience_s, min(protocol.patience_s * (1 + len(cell.visits)), left_s))


@contextmanager
def _recording_loss(cell: NetworkRun, ledger: Ledger, sessions: Sessions) -> Iterator[None]:
    try:
        yield
    except SessionLost as lost:
        cell.reason = str(lost)
        sessions.close(cell)
        ledger.finish(cell)
