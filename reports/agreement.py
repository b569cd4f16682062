"""Measured against published for one target: the ratio of each network and the rank correlation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from reports.cells import Column


@dataclass(frozen=True)
class Agreement:
    """`ratios` are measured over published latency by network, furthest from the median ratio first.

    `tau` is Kendall's rank correlation of the two orders, None where it is undefined.
    """

    ratios: dict[str, float]
    median_ratio: float
    tau: float | None


def agreement(column: Column) -> Agreement | None:
    """None where no network has both a measured and a published number."""
    ratios = {model: cell.ratio.ms for model, cell in column.cells.items() if cell.ratio}
    if not ratios:
        return None
    middle = median(ratios.values())
    pairs = [
        (cell.measured.latency.ms, cell.published.ms)
        for cell in column.cells.values()
        if cell.measured and cell.published
    ]
    worst_first = sorted(ratios, key=lambda model: -abs(math.log(ratios[model] / middle)))
    return Agreement({model: ratios[model] for model in worst_first}, middle, kendall(pairs))


def kendall(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Kendall's rank correlation, tau-b (ties count for neither side); None where a side has but one value."""
    if len(pairs) < 2:
        return None
    from scipy.stats import kendalltau

    tau = float(kendalltau([first for first, _ in pairs], [second for _, second in pairs]).statistic)
    return None if math.isnan(tau) else tau
