"""Estimates from rounds: the round is the unit, since samples within one share its heat, clocks and neighbours."""

from collections.abc import Sequence
from statistics import median

import msgspec


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A median with its 95 % interval, in seconds a batch."""

    median_s: float
    low_s: float
    high_s: float

    @property
    def half_width(self) -> float:
        """Half of the interval, relative to the median."""
        return (self.high_s - self.low_s) / (2 * self.median_s) if self.median_s > 0 else 0.0


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile; `values` must not be empty."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)  # ceil
    return ordered[max(0, min(len(ordered), int(rank)) - 1)]


def median_interval(values: Sequence[float]) -> Estimate:
    """The median of `values` with the narrowest symmetric order-statistic interval that covers 95 %.

    Distribution-free and exact for independent values (binomial). Below six values even their whole range covers
    less than 95 %; it is given all the same.
    """
    ordered = sorted(values)
    cut = _ranks_cut(len(ordered))
    return Estimate(median_s=median(ordered), low_s=ordered[cut], high_s=ordered[-1 - cut])


def _ranks_cut(count: int) -> int:
    """How many of the smallest and largest of `count` values fall outside the 95 % interval of the median."""
    tail, term, cut = 0.0, 0.5**count, 0
    for rank in range(count // 2):
        tail += term
        if tail > 0.025:
            break
        cut, term = rank, term * (count - rank) / (rank + 1)
    return cut
