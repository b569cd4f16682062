"""How far the numbers of several sweeps lie apart, and how often their intervals hold another sweep's numbers."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import median

import msgspec

from bench.trust.basis import Basis
from bench.trust.measurement import Measurement
from bench.trust.run_to_run import RunToRun, Told, run_to_run
from bench.trust.statistics import Estimate
from bench.trust.visit import Visit

# By network, what an estimator makes of one sweep.
Estimates = dict[str, Measurement]


def measurement(visits: Sequence[Visit], basis: Basis) -> Measurement:
    """Visits held against a basis, as a record's measurement holds them."""
    return Measurement(clock="", ran_on={}, warmup_s=[], visits=list(visits), basis=basis)


def spreads(found: Mapping[str, Estimates]) -> list[float]:
    """(max - min) / median over the sweeps, of every network that at least two of them have."""
    found_apart = []
    for name in dict.fromkeys(name for each in found.values() for name in each):
        values = [each[name].estimate.number_s for each in found.values() if name in each]
        if len(values) > 1:
            found_apart.append((max(values) - min(values)) / median(values))
    return found_apart


def coverage(found: Mapping[str, Estimates]) -> tuple[int, int, list[float]]:
    """In how many pairs the earlier sweep's interval holds the later number, of how many, and half of the intervals."""
    told = {sweep: {name: each.told for name, each in estimates.items()} for sweep, estimates in found.items()}
    held, pairs, widths = 0, 0, []
    for sweep, other in combinations(found, 2):
        between = _between([told[each] for each in found if each != sweep])
        for name, measured in found[sweep].items():
            interval = _with(measured, between)
            another = found[other].get(name)
            # An interval presumes that the other sweep is as precise, which one without an interval is not.
            if interval.low_s is None or interval.high_s is None or another is None or another.alone.low_s is None:
                continue
            pairs += 1
            held += interval.low_s <= another.estimate.number_s <= interval.high_s
            widths.append(interval.half_width)
    return held, pairs, widths


def _between(told: Sequence[Mapping[str, Told]]) -> RunToRun | None:
    return run_to_run(told[:-1], told[-1]) if told else None


def _with(measured: Measurement, between: RunToRun | None) -> Estimate:
    """The estimate for another sweep; with no run-to-run error known, as if there were none."""
    assert measured.basis is not None
    known = between or RunToRun(error=0.0, freedom=1e9, sweeps=0)
    return measurement(measured.visits, msgspec.structs.replace(measured.basis, run_to_run=known)).estimate
