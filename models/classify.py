"""`python -m models classify`: the likeliest classes of photographs, by a network or by a file exported of it."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from models.checkpoints import add_weights_option, checkpoint_for
from models.classifier import Answer, Classifier, TorchClassifier, answers_to
from models.model import Model
from models.photographs.account import counted
from models.photographs.classes import CLASSES
from models.photographs.folder import Photograph, photographs
from models.photographs.preprocessing import preprocessing_of
from models.weights import is_trained
from models.zoo import find
from system.command_line import argument_parser, print_json
from system.errors import UserError, printable


def main() -> int:
    """Classify; exit 1 where an image can't be read or classified."""
    arguments = _parser().parse_args()
    (model, *others) = find(arguments.model)
    if others:
        raise UserError("classify takes one network", found=f"{1 + len(others)} networks", fix="name one MODEL")
    images, left_out = _images(arguments.image)
    how = preprocessing_of(model)
    classifier = _opened(model, arguments)
    if not is_trained(classifier.weights):
        _say("warning: the weights are seeded, not trained: the classes mean nothing; give --weights")
    answers = []
    try:
        for answer in answers_to(images, how, classifier, arguments.top):
            answers.append(answer)
            if answer.error:
                _say(f"error: {answer.image}: {answer.error}")
            elif not arguments.json:
                _print(answer)
    finally:
        classifier.close()
    if arguments.json:
        print_json(_document(model, classifier, answers, left_out))
    for line in counted("left out", left_out):
        _say(line)
    return 1 if any(answer.error for answer in answers) else 0


def _opened(model: Model, arguments: argparse.Namespace) -> Classifier:
    if arguments.artifact is None:
        return TorchClassifier(model, checkpoint_for(arguments.weights, model))
    if arguments.weights:
        raise UserError("--weights and --artifact", found="both", fix="give one: an artifact has its weights in it")
    # Runtimes lie above this package, so they are found by name.
    opened: Classifier = importlib.import_module("devices.artifact_classifier").open_artifact(arguments.artifact, model)
    return opened


def _images(given: Sequence[str]) -> tuple[list[Photograph], dict[str, str]]:
    """The images that were named, those of folders included, and what of these folders is left out, and why."""
    images: list[Photograph] = []
    left_out: dict[str, str] = {}
    for text in given:
        path = Path(text)
        if not path.is_dir():
            images.append(Photograph(printable(text), path))
            continue
        found = photographs(path, with_classes=False)
        images += (Photograph(printable(str(image.path)), image.path) for image in found.images)
        left_out |= {printable(f"{path / name}"): reason for name, reason in found.left_out.items()}
    return images, left_out


def _parser() -> argparse.ArgumentParser:
    parser = argument_parser("models classify", str(__doc__))
    parser.add_argument("model", help="name, or a source such as timm:resnet50@224")
    parser.add_argument("image", nargs="+", metavar="IMAGE", help="a photograph, or a folder of them")
    add_weights_option(parser)
    parser.add_argument("--artifact", type=Path, metavar="FILE", help="an exported file of it, asked instead")
    parser.add_argument("--top", type=_count, default=5, metavar="N", help="classes an image (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= CLASSES:
        raise argparse.ArgumentTypeError(f"expected 1 to {CLASSES}, found {text!r}")
    return int(text)


def _print(answer: Answer) -> None:
    print(f"{answer.image} ({answer.remark})" if answer.remark else answer.image)  # noqa: T201
    for likely in answer.classes:
        print(f"  {100 * likely.probability:5.1f} %  {likely.name}")  # noqa: T201


def _document(
    model: Model, classifier: Classifier, answers: Sequence[Answer], left_out: dict[str, str]
) -> dict[str, object]:
    """The answers as JSON."""
    return {
        "model": model.name,
        "weights": classifier.weights,
        "runs_on": classifier.runs_on,
        "images": [
            {"image": answer.image, "error": answer.error}
            if answer.error
            else {
                "image": answer.image,
                "remark": answer.remark,
                "classes": [vars(likely) for likely in answer.classes],
            }
            for answer in answers
        ],
        "left_out": left_out,
    }


def _say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201
