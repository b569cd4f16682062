"""Accuracies as people read them: a table on stdout, and on stderr what was left out or is worth a remark."""

import sys
from collections.abc import Iterable, Sequence

from bench.accuracy.intervals import points_lost, wilson
from bench.accuracy.record import Accuracy
from models.photographs.account import counted
from models.weights import is_trained
from system.command_line import print_table

_HEADER = ["images", "top-1 %", "95 % interval", "top-5 %", "as torch FP32 %", "points lost", "95 % interval"]
# From so many images on, an interval is narrow enough for a second decimal.
_MANY = 1000


def print_accuracies(target: str, found: Sequence[tuple[str, Accuracy | str]]) -> None:
    """A row for each network, by name: what it answered, or the reason why nothing is known of it."""
    print_table([target, *_HEADER], [[name, *_row(accuracy)] for name, accuracy in found])


def print_remarks(accuracies: Iterable[Accuracy]) -> None:
    """Which files were left out, and which evaluated ones are worth a remark: each kind counted, and some named."""
    lines: dict[str, None] = {}  # most are the same for every network
    for accuracy in accuracies:
        lines |= dict.fromkeys(counted("left out", accuracy.left_out) + counted("evaluated", accuracy.remarks))
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201


def _row(accuracy: Accuracy | str) -> list[str]:
    if isinstance(accuracy, str):
        return ["", f"no figure: {accuracy}", "", "", "", "", ""]
    images, labelled, agreement = accuracy.images, accuracy.labelled, accuracy.agreement
    same = _percent(agreement.same_top1, images)
    if not labelled:
        return [f"{images}", _why_agreement_only(accuracy), "", "", same, "", ""]
    digits = 2 if labelled >= _MANY else 1
    low, high = (f"{100 * end:.{digits}f}" for end in wilson(accuracy.top1, labelled))
    lost = points_lost(agreement, labelled)
    assert lost is not None
    points, least, most = (f"{value:+.{digits}f}" for value in lost)
    of = f"{images}" if labelled == images else f"{images}, {labelled} of a known class"
    top1, top5 = _percent(accuracy.top1, labelled), _percent(accuracy.top5, labelled)
    return [of, top1, f"{low} to {high}", top5, same, points, f"{least} to {most}"]


def _why_agreement_only(accuracy: Accuracy) -> str:
    if not accuracy.images:
        return "no image could be read"
    return "no known class" if is_trained(accuracy.artifact.weights) else "seeded weights"


def _percent(count: int, of: int) -> str:
    return f"{100 * count / of:.{2 if of >= _MANY else 1}f}" if of else ""
