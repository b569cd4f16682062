"""Estimates from visits: the visit is the unit, since samples within one share its heat, clocks and neighbours."""

import itertools
import math
from collections.abc import Sequence
from statistics import mean, median, stdev

import msgspec

from bench.trust.huber import HuberMean, huber_mean
from bench.trust.run_to_run import RunToRun

# The median of normal values varies by this much more than their mean (sqrt(pi / 2)).
_MEDIAN_LOSS = math.sqrt(math.pi / 2)
# Of time. More of them would each be shorter than a disturbance that lasts; fewer leave few degrees of freedom.
_BLOCKS = 6
# Fewer visits have no interval: a block of time needs two, and one block has no spread.
FEWEST_VISITS = 4
# The exponential of a larger number, times seconds, overflows a float.
_LARGEST = 600.0
# Degrees of freedom of an error that is known.
_CERTAIN = 1e9


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """The number of some visits, in seconds a batch, with its 95 % interval, whose ends are None where it has none.

    The interval is for what another sweep of this machine would give; where `within_sweep`, since how far sweeps lie
    apart is not known yet, for what this one would give if it went on. `log_error` is the standard error of the
    logarithm, infinite without an interval, `freedom` its degrees of freedom. `sampling` is half of the interval,
    relative, that more visits narrow.
    """

    number_s: float
    low_s: float | None
    high_s: float | None
    log_error: float
    freedom: float
    sampling: float
    within_sweep: bool

    @property
    def half_width(self) -> float:
        """Half of the interval, relative to the number; infinite without one."""
        if self.low_s is None or self.high_s is None:
            return math.inf
        return (self.high_s - self.low_s) / (2 * self.number_s)


def estimate(
    visits_s: Sequence[float], *, correction_error: float = 0.0, run_to_run: RunToRun | None = None
) -> Estimate:
    """The robust mean (Huber's, of the logarithms) of the visits' values, which are in the order of time; at least one.

    Its error has three parts: that between visits, the larger of that of independent ones and that between blocks of
    neighbouring ones, which sees a drift within the sweep; `correction_error`, relative, of what was divided out; and
    that between sweeps. Another sweep has the same errors, so that its interval is wider by the square root of two.
    Fewer than four visits have no interval, and their median is the number.
    """
    if len(visits_s) < FEWEST_VISITS or min(visits_s) <= 0:
        return without_interval(median(visits_s), within_sweep=run_to_run is None)
    # Relative to one of them, so that equal visits give exactly what each says.
    unit_s = median(visits_s)
    found = huber_mean([math.log(value / unit_s) for value in visits_s])
    number_s, sampling = unit_s * math.exp(found.mean), sampling_error(found)
    return with_interval(
        number_s, sampling=sampling, own=sampling, correction_error=correction_error, run_to_run=run_to_run
    )


def with_interval(
    number_s: float,
    *,
    sampling: tuple[float, float],
    own: tuple[float, float],
    correction_error: float,
    run_to_run: RunToRun | None,
) -> Estimate:
    """A number with the interval that its parts give, each a standard error of the logarithm and its freedom.

    `own` is what the sweep's visits say of the number, of which `sampling` is what more visits narrow.
    """
    parts = [own, (correction_error, _CERTAIN)]
    if run_to_run is not None:
        parts.append((run_to_run.error, run_to_run.freedom))
    error = math.hypot(*(part for part, _ in parts))
    freedom_of_all = min(_CERTAIN, welch_freedom(parts)) if error > 0 else _CERTAIN
    repeats = math.sqrt(2) if run_to_run is not None else 1.0
    log_factor = repeats * t_quantile(0.975, freedom_of_all) * error
    if not log_factor <= _LARGEST:
        return without_interval(number_s, within_sweep=run_to_run is None)
    factor = math.exp(log_factor)
    return Estimate(
        number_s=number_s,
        low_s=number_s / factor,
        high_s=number_s * factor,
        log_error=error,
        freedom=freedom_of_all,
        sampling=repeats * t_quantile(0.975, sampling[1]) * sampling[0],
        within_sweep=run_to_run is None,
    )


def without_interval(number_s: float, *, within_sweep: bool) -> Estimate:
    """A number of which nothing is known but itself."""
    return Estimate(
        number_s=number_s,
        low_s=None,
        high_s=None,
        log_error=math.inf,
        freedom=1.0,
        sampling=math.inf,
        within_sweep=within_sweep,
    )


def sampling_error(found: HuberMean) -> tuple[float, float]:
    """The standard error of Huber's mean of values in the order of time, and its degrees of freedom; at least four."""
    values = found.values
    blocks = [mean(block) for block in blocks_of(values, max(2, min(_BLOCKS, len(values) // 2)))]
    candidates = [
        (stdev(values) / math.sqrt(len(values)), max(1.0, (len(values) - 1) * found.inside)),
        (stdev(blocks) / math.sqrt(len(blocks)), len(blocks) - 1.0),
    ]
    return max(candidates, key=lambda each: t_quantile(0.975, each[1]) * each[0])


def autocorrelation_factor(values: Sequence[float]) -> float:
    """How many times larger the variance of a mean over time is than independent values would have it, at least 1.

    By the medians of blocks of neighbouring values; at least four values.
    """
    blocks = [median(block) for block in blocks_of(values, max(2, min(_BLOCKS, len(values) // 2)))]
    independent = (_MEDIAN_LOSS * stdev(values)) ** 2 / len(values)
    return max(1.0, stdev(blocks) ** 2 / len(blocks) / independent) if independent > 0 else 1.0


class Pooled(msgspec.Struct, frozen=True, kw_only=True):
    """What several runs say together: the geometric mean of their numbers, its error and degrees of freedom."""

    number_s: float
    log_error: float
    freedom: float


def pool(estimates: Sequence[Estimate]) -> Pooled:
    """Take the estimates of runs of one and the same thing together; at least one.

    The error is what the runs say of themselves; where they lie apart more than twice as far, which chance alone makes
    one in twenty do, it is that. Where no run knows how far runs lie apart, only their distances tell.
    """
    count = len(estimates)
    # Relative to the first, so that one run alone says exactly what it said.
    first_s = estimates[0].number_s
    logs = [math.log(found.number_s / first_s) for found in estimates]
    own = math.hypot(*(found.log_error for found in estimates)) / count
    apart = stdev(logs) / math.sqrt(count) if count > 1 else 0.0
    freedom = welch_freedom([(found.log_error, found.freedom) for found in estimates])
    if count > 1 and all(found.within_sweep for found in estimates):
        own, freedom = max(own, apart), count - 1.0
    elif apart > 2 * own:
        # What they don't say of themselves is known from their distances alone.
        unsaid = math.sqrt(apart**2 - own**2)
        own, freedom = apart, welch_freedom([(own, freedom), (unsaid, count - 1.0)])
    return Pooled(number_s=first_s * math.exp(mean(logs)), log_error=own, freedom=freedom)


def difference(first: Sequence[float], second: Sequence[float]) -> tuple[float, float, float]:
    """The second mean less the first, its standard error and degrees of freedom (Welch); at least two values each."""
    parts = [(stdev(values) / math.sqrt(len(values)), len(values) - 1.0) for values in (first, second)]
    return mean(second) - mean(first), math.hypot(*(error for error, _ in parts)), welch_freedom(parts)


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
    # As numpy's "inverted_cdf", which takes longer to be called than to sort a few hundred values.
    return sorted(values)[max(0, math.ceil(len(values) * (percent / 100) - 1))]


def t_quantile(probability: float, freedom: float) -> float:
    """The quantile of Student's t distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))


def t_tail(value: float, freedom: float) -> float:
    """The probability that Student's t exceeds `value`."""
    from scipy.special import stdtr

    return float(stdtr(freedom, -value))


def blocks_of(values: Sequence[float], count: int) -> list[Sequence[float]]:
    """`count` runs of neighbouring values, as equal in length as can be."""
    edges = [round(index * len(values) / count) for index in range(count + 1)]
    return [values[start:end] for start, end in itertools.pairwise(edges)]
