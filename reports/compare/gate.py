"""The gate of a build: which networks got slower by more than a threshold, or can't be tested any more."""

import math
from collections.abc import Sequence

from bench.records.record import Record
from bench.trust.statistics import t_tail
from reports.compare.compare import ALPHA, TOGETHER, Comparison, side, sort_key
from reports.compare.runs import by_cell

# "untestable" must not pass for unchanged.
EXIT_CODES = {"compared": 0, "not slower": 0, "slower": 1, "untestable": 3}


def gate(
    old: Sequence[Record], new: Sequence[Record], comparisons: Sequence[Comparison], percent: float | None
) -> tuple[str, list[str]]:
    """What the gate says, and why it fails; without a threshold it only tells whether anything could be tested."""
    if percent is None:
        return "compared", []
    lines = [
        f"{found.model} on {found.target} is more than {percent:g} % slower" for found in slower(comparisons, percent)
    ]
    # A number that can't be compared any more must not pass as unchanged.
    lines += [
        f"{model} on {target} has no usable number any more: {why}" for (target, model), why in lost(old, new).items()
    ]
    if lines:
        return "slower", lines
    if testable(comparisons):
        return "not slower", []
    reasons = ", ".join(dict.fromkeys(found.reason for found in comparisons if found.reason))
    return "untestable", [f"untestable: no network's change can be tested: {reasons}; measure with --repeat, or a duet"]


def testable(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The rows of which a change could be claimed."""
    return [found for found in comparisons if found.p is not None and not found.reason]


def slower(comparisons: Sequence[Comparison], percent: float) -> list[Comparison]:
    """The networks that are slower by more than `percent`, by one-sided t tests against that, with Holm's correction.

    The probability that any network which is not slower by that much is named is at most 5 %.
    """
    bound, tested = math.log1p(percent / 100), []
    for found in testable(comparisons):
        if found.ratio is not None and found.freedom is not None and found.model != TOGETHER:
            excess = math.log(found.ratio) - bound
            p = t_tail(excess / found.error, found.freedom) if found.error else float(excess <= 0)
            tested.append((p, found))
    named = []
    for rank, (p, found) in enumerate(sorted(tested, key=lambda each: each[0])):
        if p > ALPHA / (len(tested) - rank):
            break
        named.append(found)
    return named


def lost(old: Sequence[Record], new: Sequence[Record]) -> dict[tuple[str, str], str]:
    """By target and model, why there is no usable number in the new run where the old run has one."""
    olds, news = by_cell(old), by_cell(new)
    trusted = [cell for cell in sorted(olds, key=sort_key) if not side(olds[cell])[1]]
    doubts = {cell: side(news[cell])[1] if cell in news else "not measured" for cell in trusted}
    return {cell: doubt for cell, doubt in doubts.items() if doubt}
