"""What `python -m exporters` does once its arguments are read."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from exporters.artifact import Artifact, Job
from exporters.formats import find_format
from exporters.parallel import obtain_all
from models.checkpoints import checkpoints_for
from models.zoo import find_all
from system.child import Failure
from system.command_line import print_json, print_table
from system.errors import UserError


def export(arguments: argparse.Namespace) -> int:
    """Export and print what was made; 1 where a network could not be exported. Raises UserError as the cache does."""
    format_ = find_format(arguments.to)
    if arguments.ops and format_.op_counts is None:
        raise UserError("--ops can't count the operations of such files", found=arguments.to, fix="leave it out")
    models = find_all(arguments.model)
    checkpoints = checkpoints_for(arguments.weights, models)
    jobs = [
        Job(
            model=model,
            format=arguments.to,
            precision=arguments.precision or format_.precisions[0],
            batch=format_.default_batch if arguments.batch is None else arguments.batch or None,
            weights=checkpoints.get(model),
            calibration=arguments.calibration,
        )
        for model in models
    ]
    artifacts: dict[Job, Artifact] = {}
    for done, (job, outcome) in enumerate(obtain_all(jobs, arguments.out), start=1):
        if isinstance(outcome, Failure):
            print(f"error: {job.model.name}: {outcome.reason}", file=sys.stderr)  # noqa: T201
        else:
            artifacts[job] = outcome
            print(f"[{done}/{len(jobs)}] {outcome.path}", file=sys.stderr)  # noqa: T201
    made = [artifacts[job] for job in jobs if job in artifacts]
    count_ops = format_.op_counts if arguments.ops else None
    op_counts = [count_ops(Path(artifact.path)) for artifact in made] if count_ops else []
    _print(made, op_counts, as_json=arguments.json)
    return 0 if len(artifacts) == len(jobs) else 1


def _print(artifacts: Sequence[Artifact], op_counts: Sequence[Mapping[str, int]], *, as_json: bool) -> None:
    if as_json:
        documents = msgspec.to_builtins(artifacts)
        for document, ops in zip(documents, op_counts, strict=False):
            document["op_counts"] = ops
        print_json(documents)
        return
    rows = [
        [
            artifact.model,
            artifact.format,
            artifact.precision,
            str(artifact.input_shape[0] or "dynamic"),
            f"{artifact.size_bytes / 1e6:.1f} MB",
            f"{artifact.fidelity.relative_error:.1e}" if artifact.fidelity else "",
            artifact.path,
        ]
        for artifact in artifacts
    ]
    print_table(["model", "format", "precision", "batch", "size", "relative error", "path"], rows)
    for artifact, ops in zip(artifacts, op_counts, strict=False):
        print(f"{artifact.model}: " + ", ".join(f"{count} {kind}" for kind, count in ops.items()))  # noqa: T201
