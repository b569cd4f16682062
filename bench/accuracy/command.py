"""`python -m bench TARGET --accuracy DIR`: what the very files that are timed answer on a folder of photographs.

Each network's file is run as it is timed, and the FP32 torch network of the same weights on the same images. What both
answer is kept image by image, so an evaluation that was interrupted goes on with the same command.

Exit code 1 says that a network has no figure.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from bench.accuracy.images import digested
from bench.accuracy.record import Accuracy, accuracy_file
from bench.accuracy.table import print_accuracies, print_remarks
from bench.accuracy.target import EvaluationRequest, evaluate_target
from bench.kept import saying_when_interrupted
from bench.protocol import Protocol
from devices.runtime import runtime_of
from devices.targets import Target
from models.model import Model
from models.photographs.account import account
from models.photographs.folder import Photograph, Photographs, photographs, spread
from system.command_line import print_json
from system.errors import UserError


def run_accuracy(
    arguments: argparse.Namespace,
    targets: Sequence[tuple[Target, Protocol]],
    models: Sequence[Model],
    checkpoints: Mapping[Model, Path],
) -> int:
    """Evaluate, print, and return the exit code. Raises UserError where what is asked can't be evaluated."""
    for target, _ in targets:
        if runtime_of(target).open_predictor is None:
            lacking = f"runtime {target.runtime} gives no logits"
            raise UserError(f"no accuracy on target {target.name}", found=lacking, fix="give another target")
    folder = photographs(arguments.accuracy)
    chosen = folder.images if arguments.images is None else spread(folder.images, arguments.images)
    images = digested(chosen)
    every: list[tuple[Target, str, Accuracy | str]] = []
    for target, protocol in targets:
        request = EvaluationRequest(
            target=target,
            models=models,
            folder=folder.folder,
            images=images,
            left_out=folder.left_out,
            results=arguments.results,
            artifacts=arguments.artifacts,
            checkpoints=checkpoints,
            calibration=arguments.calibration,
            timeout_s=protocol.timeout_s,
        )
        with saying_when_interrupted("every answer so far is kept; the same command goes on"):
            evaluated = list(evaluate_target(request))
        every += [(target, *entry) for entry in evaluated]
        if not arguments.json:
            print_accuracies(target.name, evaluated)
    accuracies = [accuracy for *_, accuracy in every if isinstance(accuracy, Accuracy)]
    _say(accuracies, arguments.results)
    _say_of_the_classes(folder, chosen)
    if arguments.json:
        print_json([_document(*entry) for entry in every])
    return 0 if len(accuracies) == len(every) and all(accuracy.images for accuracy in accuracies) else 1


def _say(accuracies: Sequence[Accuracy], results: Path) -> None:
    print_remarks(accuracies)
    files = dict.fromkeys(
        str(accuracy_file(results, accuracy.target.name)) for accuracy in accuracies if accuracy.images
    )
    if files:
        print(f"all of it is in {', '.join(files)}", file=sys.stderr)  # noqa: T201


def _say_of_the_classes(folder: Photographs, chosen: tuple[Photograph, ...]) -> None:
    """What is odd about the classes; where some images have one, the records' remarks say which have none."""
    known = tuple(image for image in chosen if image.label is not None) or chosen
    for line in account(replace(folder, images=known, left_out={})):
        print(line, file=sys.stderr)  # noqa: T201


def _document(target: Target, name: str, accuracy: Accuracy | str) -> object:
    if isinstance(accuracy, str):
        return {"target": target.name, "model": name, "reason": accuracy}
    return msgspec.to_builtins(accuracy)
