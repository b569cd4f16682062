"""Estimates from visits: the round is the unit, since samples within one share its heat, clocks and neighbours."""

import itertools
import math
from collections.abc import Sequence
from statistics import mean, median, stdev

import msgspec

# The median of normal values varies by this much more than their mean (sqrt(pi / 2)).
_MEDIAN_LOSS = math.sqrt(math.pi / 2)
_BLOCKS = 6
# Degrees of freedom of an error that is known.
_CERTAIN = 1e9


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A median of visits, in seconds a batch, with the 95 % interval for what another run would give.

    `log_error` is the standard error of its logarithm, `freedom` the degrees of freedom of that error. `sampling` is
    what half of the interval, relative, would be were all runs alike: more visits narrow that, and only that.
    """

    median_s: float
    low_s: float
    high_s: float
    log_error: float
    freedom: float
    sampling: float

    @property
    def half_width(self) -> float:
        """Half of the interval, relative to the median."""
        return (self.high_s - self.low_s) / (2 * self.median_s) if self.median_s > 0 else 0.0


def estimate(visits_s: Sequence[float], run_to_run: float = 0.0) -> Estimate:
    """The median of the visits' values, which are in the order of time; at least one.

    The error is the larger of two: that of independent visits, and that between blocks of neighbouring visits, which
    sees a drift within the run. To it is added `run_to_run`, the relative standard error that no run sees of itself.
    Another run has the same error, so the interval is wider by the square root of two; docs/trust.md shows how often it
    holds. One or two visits say nothing of their spread: their own range is given.
    """
    middle = median(visits_s)
    if len(visits_s) < 3 or min(visits_s) <= 0:
        return Estimate(
            median_s=middle,
            low_s=min(visits_s),
            high_s=max(visits_s),
            log_error=math.inf,
            freedom=1.0,
            sampling=math.inf,
        )
    logs = [math.log(value) for value in visits_s]
    blocks = _blocks(logs, max(2, min(_BLOCKS, len(logs) // 2)))
    candidates = [
        (_MEDIAN_LOSS * stdev(logs) / math.sqrt(len(logs)), len(logs) - 1.0),
        (stdev(blocks) / math.sqrt(len(blocks)), len(blocks) - 1.0),
    ]
    reach, sampling, freedom = max(
        (t_quantile(0.975, freedom) * error, error, freedom) for error, freedom in candidates
    )
    error = math.hypot(sampling, run_to_run)
    freedom = min(_CERTAIN, welch_freedom([(sampling, freedom), (run_to_run, _CERTAIN)])) if error > 0 else _CERTAIN
    factor = math.exp(math.sqrt(2) * t_quantile(0.975, freedom) * error)
    return Estimate(
        median_s=middle,
        low_s=middle / factor,
        high_s=middle * factor,
        log_error=error,
        freedom=freedom,
        sampling=math.sqrt(2) * reach,
    )


class Pooled(msgspec.Struct, frozen=True, kw_only=True):
    """What several runs say together: the geometric mean of their medians, its error and degrees of freedom."""

    median_s: float
    log_error: float
    freedom: float


def pool(estimates: Sequence[Estimate]) -> Pooled:
    """Take the estimates of runs of one and the same thing together; at least one.

    The error is what the runs say of themselves; where they lie apart more than twice as far, which chance alone makes
    one in twenty do, it is that.
    """
    count = len(estimates)
    # Relative to the first, so that one run alone says exactly what it said.
    first_s = estimates[0].median_s
    logs = [math.log(found.median_s / first_s) for found in estimates]
    own = math.hypot(*(found.log_error for found in estimates)) / count
    apart = stdev(logs) / math.sqrt(count) if count > 1 else 0.0
    freedom = welch_freedom([(found.log_error, found.freedom) for found in estimates])
    if apart > 2 * own:
        # What they don't say of themselves is known from their distances alone.
        unsaid = math.sqrt(apart**2 - own**2)
        own, freedom = apart, welch_freedom([(own, freedom), (unsaid, count - 1.0)])
    return Pooled(median_s=first_s * math.exp(mean(logs)), log_error=own, freedom=freedom)


def welch_freedom(parts: Sequence[tuple[float, float]]) -> float:
    """Welch and Satterthwaite's degrees of freedom of a sum of independent parts, each (error, freedom)."""
    largest = max(error for error, _ in parts)
    if largest == 0 or math.isinf(largest):
        return min(freedom for _, freedom in parts)
    # Relative to the largest, since errors of 1e-90 have no fourth power.
    variances = [((error / largest) ** 2, freedom) for error, freedom in parts]
    total = sum(variance for variance, _ in variances)
    return total**2 / sum(variance**2 / freedom for variance, freedom in variances)


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile; `values` must not be empty."""
    ordered = sorted(values)
    rank = math.ceil(len(ordered) * percent / 100)
    return ordered[max(1, min(len(ordered), rank)) - 1]


def t_quantile(probability: float, freedom: float) -> float:
    """The quantile of Student's t distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))


def t_tail(value: float, freedom: float) -> float:
    """The probability that Student's t exceeds `value`."""
    from scipy.special import stdtr

    return float(stdtr(freedom, -value))


def _blocks(values: Sequence[float], count: int) -> list[float]:
    """The medians of `count` runs of neighbouring values, as equal in length as can be."""
    edges = [round(index * len(values) / count) for index in range(count + 1)]
    return [median(values[start:end]) for start, end in itertools.pairwise(edges)]
