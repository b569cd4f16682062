"""The files of both sides of a duet: exported, or the one that `--against artifact:PATH` names."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from bench.duet.against import old_artifact
from bench.duet.ledger import DuetRun
from bench.duet.record import DuetSide, Lost
from bench.duet.request import DuetRequest
from bench.exports import export_each
from bench.records.network_run import network_of
from devices.preparation import prepared
from devices.targets import Target
from exporters.artifact import Artifact, Job
from models.given.factory import NetworkError
from models.model import Model
from system.child import Failure


def prepare(request: DuetRequest) -> list[DuetRun]:
    """Every network with the artifacts of both sides, or with the reason why one has none.

    Raises UserError where the file of `artifact:PATH` can't be used.
    """
    given = request.against.artifact
    new_jobs = _jobs(request, request.new, request.checkpoints)
    old_jobs = {} if given else _jobs(request, request.old, request.old_checkpoints)
    jobs = [job for job in (*new_jobs.values(), *old_jobs.values()) if isinstance(job, Job)]
    made = export_each(jobs, request.artifacts)
    new_made, old_made = _made(request.new, new_jobs, made), _made(request.old, old_jobs, made)
    runs = []
    for model in request.models:
        run = DuetRun(network_of(model), _old_side(request), DuetSide(target=request.new))
        new = new_made[model.name]
        old = _given(given, new, request) if given else old_made[model.name]
        _give(run, old, new)
        runs.append(run)
    return runs


def _jobs(request: DuetRequest, target: Target, checkpoints: Mapping[Model, Path]) -> dict[str, Job | Failure]:
    """By the network's name, the file that a side needs of it, or why there can't be one."""
    jobs: dict[str, Job | Failure] = {}
    for model in request.models:
        try:
            jobs[model.name] = target.job(model, checkpoints.get(model), request.calibration)
        except NetworkError as error:
            jobs[model.name] = Failure(str(error))
    return jobs


def _made(
    target: Target, jobs: Mapping[str, Job | Failure], made: Mapping[Job, Artifact | Failure]
) -> dict[str, Artifact | Failure]:
    """By the network's name, its file once sessions on the target can be opened at once, or why there is none."""
    ready = dict(prepared(target, ((job, made[job]) for job in jobs.values() if isinstance(job, Job))))
    return {name: ready[job] if isinstance(job, Job) else job for name, job in jobs.items()}


def _old_side(request: DuetRequest) -> DuetSide:
    python = request.against.python
    machine = dict(request.old_machine)
    return DuetSide(target=request.old, python=None if python is None else str(python), machine=machine)


def _given(path: Path, new: Artifact | Failure, request: DuetRequest) -> Artifact | None:
    """The file of `artifact:PATH`; what isn't written beside it is taken from the new side's, None without that."""
    return None if isinstance(new, Failure) else old_artifact(path, new, request.old)


def _give(run: DuetRun, old: Artifact | Failure | None, new: Artifact | Failure) -> None:
    if isinstance(old, Failure):
        run.lost = Lost(side="old", reason=old.reason)
    elif isinstance(new, Failure):
        run.lost = Lost(side="new", reason=new.reason)
    else:
        run.old = msgspec.structs.replace(run.old, artifact=old)
        run.new = msgspec.structs.replace(run.new, artifact=new)
