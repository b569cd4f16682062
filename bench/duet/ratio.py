"""The ratio of each network of a duet, new over old, with its interval and the tests on it.

A turn gives one log ratio. Their Huber mean is the estimate. Its error has two parts: sampling, from blocks of
neighbouring turns within one pair of processes, so that whatever lasts longer than a turn is seen; and processes,
since two processes of one file differ for life. The variance between process pairs is estimated from all networks
of the duet together and `DuetSettings.process_sd`, by maximum likelihood. Where the pairs of one network lie twice as
far apart as both parts explain, the pairs themselves are its unit. Degrees of freedom are Welch and Satterthwaite's.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import msgspec

from bench.duet.settings import DuetSettings
from bench.trust.huber import huber_mean
from bench.trust.statistics import blocks_of, t_quantile, t_tail, welch_freedom

# The variance between processes is sought between the expected one divided by this and multiplied by it.
_VARIANCE_RANGE = 1e4

# In place of a network's name: all networks of a duet together.
ALL = "all networks"

# Log ratios of the turns that count, in the order of time, of each pair of processes.
Pairs = Sequence[Sequence[float]]


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """New over old, with its 95 % interval; `log_error` is the standard error of its logarithm.

    `log_error` is composed of `sampling_error` and `process_error`, and has `freedom` degrees of freedom.
    """

    ratio: float
    low: float
    high: float
    log_error: float
    sampling_error: float
    process_error: float
    freedom: float

    def p_different(self) -> float:
        """The two-sided probability of a ratio so far from 1 between equals."""
        return min(1.0, 2 * self._tail(abs(math.log(self.ratio))))

    def p_slower(self, percent: float) -> float:
        """The one-sided probability of so high a ratio where new is at most `percent` slower (above -100)."""
        return self._tail(math.log(self.ratio) - math.log1p(percent / 100))

    def _tail(self, distance: float) -> float:
        return t_tail(distance / self.log_error, self.freedom)


@dataclass(frozen=True)
class _Sampled:
    """One network before the processes are accounted for: `variance` is that of a turn, as blocks see it."""

    counts: list[int]
    means: list[float]
    variance: float
    freedom: float

    @property
    def mean(self) -> float:
        return sum(weight * value for weight, value in zip(self.weights, self.means, strict=True))

    @property
    def weights(self) -> list[float]:
        return [count / sum(self.counts) for count in self.counts]

    @property
    def between(self) -> float:
        """The variance of the pairs' means; at least two pairs."""
        # Pairs have about as many turns each; weighing them would only add what can go wrong.
        centre = fmean(self.means)
        return sum((value - centre) ** 2 for value in self.means) / (len(self.means) - 1)

    @property
    def within(self) -> float:
        """The variance that sampling alone gives a pair's mean."""
        return self.variance * fmean(1 / count for count in self.counts)


def fit(networks: Mapping[str, Pairs], settings: DuetSettings) -> dict[str, Ratio | None]:
    """The ratio of each network; None where its turns make fewer than `fewest_blocks` blocks."""
    sampled = {name: _sample(pairs, settings) for name, pairs in networks.items()}
    found = [part for part in sampled.values() if part is not None]
    variance, freedom = _process_variance(found, settings)
    return {name: None if part is None else _ratio(part, variance, freedom) for name, part in sampled.items()}


def together(ratios: Sequence[Ratio]) -> Ratio | None:
    """The geometric mean of several networks' ratios; None of fewer than two.

    What slows all networks by a little shows here first. Turns of different networks share nothing but the machine's
    drift, which each turn's two visits have in common, so the errors are taken as independent.
    """
    count = len(ratios)
    if count < 2:
        return None
    mean = fmean(math.log(each.ratio) for each in ratios)
    sampling, process = (
        math.hypot(*errors) / count
        for errors in zip(*((each.sampling_error, each.process_error) for each in ratios), strict=True)
    )
    return _with_interval(mean, sampling, process, welch_freedom([(each.log_error, each.freedom) for each in ratios]))


def differing(estimates: Mapping[str, Ratio], alpha: float) -> set[str]:
    """Of the networks, and of ALL together, those whose ratio differs from 1, by Holm's procedure over all of these."""
    return holm({name: each.p_different() for name, each in _with_all(estimates).items()}, alpha)


def slower(estimates: Mapping[str, Ratio], percent: float, alpha: float) -> set[str]:
    """Those, and ALL together, that are more than `percent` slower, likewise."""
    return holm({name: each.p_slower(percent) for name, each in _with_all(estimates).items()}, alpha)


def _with_all(estimates: Mapping[str, Ratio]) -> dict[str, Ratio]:
    every = together(list(estimates.values()))
    return {**estimates, ALL: every} if every else dict(estimates)


def holm(ps: Mapping[str, float], alpha: float) -> set[str]:
    """The names whose hypotheses fall, at a chance of at most `alpha` that any falls wrongly (Holm's procedure)."""
    fallen: set[str] = set()
    for rank, name in enumerate(sorted(ps, key=lambda name: ps[name])):
        if ps[name] > alpha / (len(ps) - rank):
            break
        fallen.add(name)
    return fallen


def _sample(pairs: Pairs, settings: DuetSettings) -> _Sampled | None:
    pairs = [pair for pair in pairs if pair]
    total = sum(map(len, pairs))
    # A block never reaches across two pairs of processes.
    block_counts = [min(len(pair), max(1, round(settings.blocks * len(pair) / total))) for pair in pairs]
    freedom = sum(block_counts) - len(pairs)
    if sum(block_counts) < settings.fewest_blocks or freedom < 1:
        return None
    found = huber_mean([value for pair in pairs for value in pair])
    values = iter(found.values)
    regular = [[next(values) for _ in pair] for pair in pairs]
    means = [fmean(pair) for pair in regular]
    squares = sum(
        len(block) * (fmean(block) - mean) ** 2
        for pair, count, mean in zip(regular, block_counts, means, strict=True)
        for block in blocks_of(pair, count)
    )
    return _Sampled([len(pair) for pair in pairs], means, squares / freedom, freedom * found.inside)


def _process_variance(networks: Sequence[_Sampled], settings: DuetSettings) -> tuple[float, float]:
    """The variance between pairs of processes of one network, and its degrees of freedom.

    What is expected of it counts as one more network, whose pairs were seen without sampling error.
    """
    expected = 2 * settings.process_sd**2  # of a ratio: two processes
    parts = [(settings.process_freedom, expected, 0.0)]
    parts += [(len(part.means) - 1.0, part.between, part.within) for part in networks if len(part.means) > 1]

    def loss(variance: float) -> float:
        return sum(df * (math.log(variance + noise) + seen / (variance + noise)) for df, seen, noise in parts)

    steps = [expected * _VARIANCE_RANGE ** (step / 100) for step in range(-100, 101)]
    best = min(steps, key=loss)
    return best, sum(df * (best / (best + noise)) ** 2 for df, _, noise in parts)


def _ratio(part: _Sampled, process_variance: float, process_freedom: float) -> Ratio:
    sampling = math.sqrt(part.variance / sum(part.counts))
    process = math.sqrt(process_variance * sum(weight**2 for weight in part.weights))
    error = math.hypot(sampling, process)
    freedom = welch_freedom([(sampling, part.freedom), (process, process_freedom)])
    if len(part.means) > 1 and (apart := math.sqrt(part.between / len(part.means))) > 2 * error:
        unsaid = math.sqrt(apart**2 - error**2)
        freedom = welch_freedom([(error, freedom), (unsaid, len(part.means) - 1.0)])
        error, process = apart, math.sqrt(max(0.0, apart**2 - sampling**2))
    return _with_interval(part.mean, sampling, process, freedom)


def _with_interval(log_ratio: float, sampling: float, process: float, freedom: float) -> Ratio:
    error = math.hypot(sampling, process)
    reach = t_quantile(0.975, freedom) * error
    return Ratio(
        ratio=math.exp(log_ratio),
        low=math.exp(log_ratio - reach),
        high=math.exp(log_ratio + reach),
        log_error=error,
        sampling_error=sampling,
        process_error=process,
        freedom=freedom,
    )
