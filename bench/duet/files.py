"""The files of both sides of a duet: exported, or the one that `--against artifact:PATH` names."""

from pathlib import Path

import msgspec

from bench.duet.against import old_artifact
from bench.duet.ledger import DuetRun
from bench.duet.record import DuetSide, Lost
from bench.duet.request import DuetRequest
from bench.exports import export_each
from bench.records.network_run import network_of
from devices.preparation import prepared
from exporters.artifact import Artifact, Job
from models.model import Model
from system.child import Failure


def prepare(request: DuetRequest) -> list[DuetRun]:
    """Every network with the artifacts of both sides, or with the reason why one has none.

    Raises UserError where the file of `artifact:PATH`, or a network's own file, can't be used.
    """
    old_jobs = {model.name: _old_job(request, model) for model in request.models}
    new_jobs = {model.name: _new_job(request, model) for model in request.models}
    given = request.against.artifact
    made = export_each([*new_jobs.values(), *(() if given else old_jobs.values())], request.artifacts)
    new_made = dict(prepared(request.new, ((job, made[job]) for job in new_jobs.values())))
    old_made = {} if given else dict(prepared(request.old, ((job, made[job]) for job in old_jobs.values())))
    runs = []
    for model in request.models:
        run = DuetRun(network_of(model), _old_side(request), DuetSide(target=request.new))
        new = new_made[new_jobs[model.name]]
        old = _given(given, new, request) if given else old_made[old_jobs[model.name]]
        _give(run, old, new)
        runs.append(run)
    return runs


def _old_job(request: DuetRequest, model: Model) -> Job:
    return request.old.job(model, request.old_checkpoints.get(model), request.calibration)


def _new_job(request: DuetRequest, model: Model) -> Job:
    return request.new.job(model, request.checkpoints.get(model), request.calibration)


def _old_side(request: DuetRequest) -> DuetSide:
    python = request.against.python
    machine = dict(request.old_machine)
    return DuetSide(target=request.old, python=None if python is None else str(python), machine=machine)


def _given(path: Path, new: Artifact | Failure, request: DuetRequest) -> Artifact | Failure:
    # What isn't written beside the file is taken from the new side's; without that there is no duet anyway.
    return new if isinstance(new, Failure) else old_artifact(path, new, request.old)


def _give(run: DuetRun, old: Artifact | Failure, new: Artifact | Failure) -> None:
    if isinstance(old, Failure):
        run.lost = Lost(side="old", reason=old.reason)
    elif isinstance(new, Failure):
        run.lost = Lost(side="new", reason=new.reason)
    else:
        run.old = msgspec.structs.replace(run.old, artifact=old)
        run.new = msgspec.structs.replace(run.new, artifact=new)
