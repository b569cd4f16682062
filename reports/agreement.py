"""Measured against published for one target: the ratio a network, the rank correlation, and who disagrees most."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from reports.cells import Column


@dataclass(frozen=True)
class Agreement:
    """`ratios` are measured over published by network, furthest from the usual ratio first; `tau` is Kendall's."""

    ratios: dict[str, float]
    median_ratio: float
    tau: float | None


def agreement(column: Column) -> Agreement | None:
    """None where no network has both a measured and a published number."""
    ratios = {model: cell.ratio.ms for model, cell in column.cells.items() if cell.ratio}
    if not ratios:
        return None
    usual = median(ratios.values())
    pairs = [
        (cell.measured.latency.ms, cell.published.ms)
        for cell in column.cells.values()
        if cell.measured and cell.published
    ]
    worst_first = sorted(ratios, key=lambda model: -abs(math.log(ratios[model] / usual)))
    return Agreement({model: ratios[model] for model in worst_first}, usual, kendall(pairs))


def kendall(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Kendall's rank correlation, tau-b (ties count for neither side); None where a side has but one value."""
    agree, first_differ, second_differ = 0, 0, 0
    for (first, second), (other_first, other_second) in combinations(pairs, 2):
        left = (first > other_first) - (first < other_first)
        right = (second > other_second) - (second < other_second)
        agree += left * right
        first_differ += left != 0
        second_differ += right != 0
    return agree / math.sqrt(first_differ * second_differ) if first_differ and second_differ else None
