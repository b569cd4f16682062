"""How far sweeps of one machine lie apart beyond what each says of itself: learnt from the sweeps that there are."""

import math
from collections.abc import Mapping, Sequence
from statistics import mean

import msgspec

from bench.trust.plausible import LONGEST_LOG, LONGEST_S, SHORTEST_S

# Two sweeps have one difference, which says next to nothing of how far a third will lie.
FEWEST_SWEEPS = 3


class RunToRun(msgspec.Struct, frozen=True, kw_only=True):
    """`error` is a relative standard deviation, `freedom` its degrees of freedom, `sweeps` how many it is from."""

    error: float
    freedom: float
    sweeps: int


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What one sweep says of one network: the logarithm of its seconds, and that logarithm's standard error."""

    log: float
    log_error: float

    @property
    def possible(self) -> bool:
        """Whether samples can have said it, with an error: from a file it may be anything."""
        return math.log(SHORTEST_S) <= self.log <= math.log(LONGEST_S) and 0 <= self.log_error <= LONGEST_LOG

    @classmethod
    def of(cls, seconds: float, log_error: float) -> "Told":
        """What a number in seconds says."""
        return cls(log=math.log(seconds) if seconds > 0 else -math.inf, log_error=log_error)


def run_to_run(earlier: Sequence[Mapping[str, Told]], this: Mapping[str, Told]) -> RunToRun | None:
    """The spread between sweeps, pooled over the networks of this one, by their names; None before there are three.

    Earlier sweeps that lack one of them, or its interval, are left out.

    A sweep's error has a part that all its networks share (a condition of the machine that no reading shows) and one of
    each network's own. The shared one is known from as many differences as there are sweeps, less one: the degrees of
    freedom are Satterthwaite's for the sum of both. What each sweep says of its own error is subtracted.
    """
    names = [name for name, told in this.items() if _has_interval(told)]
    counted = [
        sweep for sweep in (*earlier, this) if all(name in sweep and _has_interval(sweep[name]) for name in names)
    ]
    count = len(counted)
    if count < FEWEST_SWEEPS or not names:
        return None
    centres = {name: mean(sweep[name].log for sweep in counted) for name in names}
    apart = [[sweep[name].log - centres[name] for name in names] for sweep in counted]
    shared = [mean(row) for row in apart]
    shared_variance = sum(value**2 for value in shared) / (count - 1)
    own_variance = sum((value - part) ** 2 for row, part in zip(apart, shared, strict=True) for value in row)
    own_variance /= len(names) * (count - 1)
    total = shared_variance + own_variance
    known = mean(sweep[name].log_error ** 2 for sweep in counted for name in names)
    return RunToRun(
        error=math.sqrt(max(0.0, total - known)),
        freedom=_freedom(shared_variance, own_variance, count, len(names)),
        sweeps=count,
    )


def _has_interval(told: Told) -> bool:
    return math.isfinite(told.log) and math.isfinite(told.log_error)


def _freedom(shared: float, own: float, sweeps: int, networks: int) -> float:
    total = shared + own
    if total == 0:
        return float(sweeps - 1)
    parts = shared**2 / (sweeps - 1)
    if networks > 1:
        parts += own**2 / ((sweeps - 1) * (networks - 1))
    return total**2 / parts if parts > 0 else float(sweeps - 1)
