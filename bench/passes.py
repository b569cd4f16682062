"""Which networks a sweep visits next, and when one is done."""

import math
import random
from collections.abc import Mapping, Sequence
from statistics import mean, median_low

from bench.protocol import Protocol
from bench.records.network_run import NetworkRun
from bench.trust.measurement import Measurement
from bench.trust.statistics import FEWEST_VISITS


def next_pass(
    pending: Sequence[NetworkRun], measured: Mapping[str, Measurement], protocol: Protocol, chance: random.Random
) -> list[NetworkRun]:
    """The networks to visit next, in random order; `measured` has what those that were visited say by now, by name.

    Of those that lack visits that count, the ones with the fewest, so that beside a neighbour each gets one before any
    gets two; once each has them, the half whose intervals narrow most a second.
    """
    counted = {run.name: _counted(run, measured) for run in pending}
    lacking = [run for run in pending if counted[run.name] < _needed(protocol)]
    if lacking:
        fewest = median_low(counted[run.name] for run in lacking)
        chosen = [run for run in lacking if counted[run.name] <= fewest]
    else:
        by_gain = sorted(pending, key=lambda run: _gain(run, measured), reverse=True)
        chosen = by_gain[: math.ceil(len(by_gain) / 2)]
    return chance.sample(chosen, len(chosen))


def is_done(run: NetworkRun, measured: Mapping[str, Measurement], protocol: Protocol) -> bool:
    """Whether a network needs no further visit, whatever is left of the budget."""
    if run.reason is not None or len(run.visits) >= protocol.max_visits or _is_hopeless(run, measured, protocol):
        return True
    return _counted(run, measured) >= _needed(protocol) and _width(run, measured) <= protocol.interval


def _is_hopeless(run: NetworkRun, measured: Mapping[str, Measurement], protocol: Protocol) -> bool:
    """Whether no visit counts, all for one reason, which the verdict then names."""
    if len(run.visits) < protocol.hopeless_visits:
        return False
    reasons = set(measured[run.name].rejections)
    return len(reasons) == 1 and None not in reasons


def _needed(protocol: Protocol) -> int:
    return max(FEWEST_VISITS, protocol.min_visits) if protocol.max_visits >= FEWEST_VISITS else protocol.max_visits


def _counted(run: NetworkRun, measured: Mapping[str, Measurement]) -> int:
    return len(measured[run.name].counted) if run.visits else 0


def _width(run: NetworkRun, measured: Mapping[str, Measurement]) -> float:
    """Half of the interval, relative, as far as more visits narrow it."""
    return measured[run.name].alone.sampling


def _gain(run: NetworkRun, measured: Mapping[str, Measurement]) -> float:
    """How much narrower one more visit makes the interval, a second that it takes."""
    count = len(run.visits)
    each_s = mean(visit.end_s - visit.at_s for visit in run.visits)
    return _width(run, measured) * (1 - math.sqrt(count / (count + 1))) / max(each_s, 1e-9)
