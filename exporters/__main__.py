"""`python -m exporters`: write networks in a format, from the cache or exported now, each checked against torch."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from exporters.artifact import Artifact, Job
from exporters.formats import find_format, formats
from exporters.int8.calibration import HELP
from exporters.parallel import obtain_all
from models.checkpoints import add_weights_option, checkpoints_for
from models.zoo import find
from system.child import Failure
from system.command_line import argument_parser, print_json, print_table, run
from system.errors import UserError


def main() -> int:
    """Export; exit 1 where a network could not be exported."""
    arguments = _parser().parse_args()
    format_ = find_format(arguments.to)
    if arguments.ops and format_.op_counts is None:
        raise UserError("--ops can't count the operations of such files", found=arguments.to, fix="leave it out")
    models = list(dict.fromkeys(model for pattern in arguments.model for model in find(pattern)))
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


def _parser() -> argparse.ArgumentParser:
    parser = argument_parser("exporters", str(__doc__))
    parser.add_argument("model", nargs="+", help="name, glob, or a source such as timm:resnet50@224")
    parser.add_argument("--to", required=True, metavar="FORMAT", help=f"one of {', '.join(formats())}")
    parser.add_argument("--precision", help="the format's first one unless given")
    parser.add_argument("--batch", type=_batch, help="images in a batch, or dynamic; the format's own unless given")
    add_weights_option(parser)
    parser.add_argument("--calibration", type=Path, metavar="DIR", help=HELP)
    parser.add_argument("--out", type=Path, default=Path("artifacts"), help="folder (default: %(default)s)")
    parser.add_argument("--ops", action="store_true", help="count the operations of each file, by kind")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _batch(text: str) -> int:
    """The number of images, 0 for a dynamic batch."""
    if text == "dynamic":
        return 0
    if not text.isdecimal() or not 1 <= int(text) <= 4096:
        raise argparse.ArgumentTypeError(f"expected 1 to 4096 or dynamic, found {text!r}")
    return int(text)


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


if __name__ == "__main__":
    run(main)
