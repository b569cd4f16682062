"""One target's evaluation: export, ask each network's file and the torch network, and keep a record of each."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import structs

from bench.accuracy.count import count_answers
from bench.accuracy.evaluate import evaluate
from bench.accuracy.images import Image
from bench.accuracy.record import Accuracy, accuracy_file
from bench.accuracy.store import read_accuracies
from bench.accuracy.subject import Subject, reference_target
from bench.exports import export_each
from bench.records.network_run import network_of
from bench.records.sole_writer import sole_writer
from bench.records.store import append_line
from devices.host.conditions import machine, moment
from devices.preparation import prepared
from devices.runtime import runtime_of
from devices.targets import Target
from devices.worker import SessionLost
from exporters.artifact import Artifact, Job
from models.given.factory import NetworkError
from models.model import Model
from models.photographs.classes import CLASSES
from models.photographs.preprocessing import preprocessing_of
from models.timm_networks import timm_configuration
from models.weights import is_trained
from system.child import Failure

# Fields of a record in which two evaluations of the same file on the same images may differ.
_OF_ONE_RUN = {"artifact", "folder", "machine", "end", "inference_s", "wall_s"}


@dataclass(frozen=True, kw_only=True)
class EvaluationRequest:
    """Evaluate the files of `models` on `target` over `images`; `left_out` is what else their folder holds, and why.

    A network without a checkpoint has seeded weights.
    """

    target: Target
    models: Sequence[Model]
    folder: Path
    images: Sequence[Image]
    left_out: dict[str, str]
    results: Path
    artifacts: Path
    checkpoints: Mapping[Model, Path] = field(default_factory=dict)
    calibration: Path | None = None
    timeout_s: float

    def jobs(self, model: Model) -> tuple[Job, Job]:
        """The target's file of a network, and what it is compared with: the torch network, or the file that it came as.

        Raises NetworkError where the target, or what it is compared with, can't run the network's file.
        """
        weights = self.checkpoints.get(model)
        return self.target.job(model, weights, self.calibration), reference_target(model).job(model, weights)


def evaluate_target(request: EvaluationRequest) -> Iterator[tuple[str, Accuracy | str]]:
    """Each network by name with its accuracy or the reason why it has none, as its evaluation ends.

    An accuracy is a line of `results/accuracy/TARGET.jsonl` by then, appended unless one says the same already.
    Raises UserError where another evaluation writes there, nothing can be written, or no device can be held.
    """
    with sole_writer(request.results / "accuracy", request.target.name):
        known = [found for found in read_accuracies(request.results) if found.target.name == request.target.name]
        jobs = {model: _jobs(request, model) for model in request.models}
        made = _export(request, [both for both in jobs.values() if not isinstance(both, str)])
        with runtime_of(request.target).hold(request.target) as held:
            for model, both in jobs.items():
                if isinstance(both, str):
                    yield model.name, both
                    continue
                mine, torchs = (made[job] for job in both)
                if isinstance(mine, Failure):
                    yield model.name, mine.reason
                elif isinstance(torchs, Failure):
                    yield model.name, f"what it is compared with: {torchs.reason}"
                else:
                    subjects = _subjects(model, mine, torchs, request.target, held.target)
                    yield model.name, _evaluate(request, model, subjects, known)


def _jobs(request: EvaluationRequest, model: Model) -> tuple[Job, Job] | str:
    """Both files of a network, or why there can't be both."""
    try:
        return request.jobs(model)
    except NetworkError as error:
        return str(error)


def _export(request: EvaluationRequest, both: Sequence[tuple[Job, Job]]) -> dict[Job, Artifact | Failure]:
    """The files of both sides of every network, or why there is none."""
    made = export_each((job for each in both for job in each), request.artifacts)
    made |= prepared(request.target, [(mine, made[mine]) for mine, _ in both])
    return made


def _subjects(model: Model, mine: Artifact, torchs: Artifact, target: Target, held: Target) -> list[Subject]:
    """The target's file and what it is compared with."""
    how = preprocessing_of(model)
    return [Subject(mine, target, how, held), Subject(torchs, reference_target(model), how)]


def _evaluate(
    request: EvaluationRequest, model: Model, subjects: Sequence[Subject], known: Sequence[Accuracy]
) -> Accuracy | str:
    mine, begun_s = subjects[0].artifact, time.monotonic()
    try:
        evaluation = evaluate(subjects, request.images, request.results, timeout_s=request.timeout_s)
    except SessionLost as lost:
        return f"{lost}; what was predicted until then is kept"
    trained = is_trained(mine.weights) and _classes(model) == CLASSES
    answers, torchs_answers = evaluation.predictions
    left_out = request.left_out | evaluation.left_out
    counts = count_answers(request.images, answers, torchs_answers, left_out, trained=trained)
    accuracy = Accuracy(
        model=network_of(model),
        target=request.target,
        artifact=mine,
        ran_on=answers.ran_on,
        folder=request.folder.resolve().name,
        **vars(counts),
        machine=machine(),
        end=moment(),
        inference_s=evaluation.inference_s[0],
        wall_s=time.monotonic() - begun_s,
    )
    if not evaluation.predicted and accuracy.images:
        print(f"{model.name}: this file has answered every image before, none was asked again", file=sys.stderr)  # noqa: T201
    if accuracy.images and not any(_is_same(accuracy, other) for other in known):
        append_line(accuracy_file(request.results, request.target.name), accuracy)
    return accuracy


def _is_same(accuracy: Accuracy, other: Accuracy) -> bool:
    """Whether two records say the same of the same file."""
    return _lasting(accuracy) == _lasting(other)


def _lasting(accuracy: Accuracy) -> dict[str, object]:
    fields = {name: value for name, value in structs.asdict(accuracy).items() if name not in _OF_ONE_RUN}
    return fields | {"sha256": accuracy.artifact.sha256}


def _classes(model: Model) -> int:
    """How many classes a network tells apart, as far as that is known without building it."""
    if model.file is not None:
        return model.file.classes or CLASSES
    if model.kind != "timm":
        return CLASSES
    configuration = timm_configuration(model.spec)
    return (configuration and configuration.num_classes) or CLASSES
