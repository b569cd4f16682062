"""Whether a visit can have been measured: what comes from a host or from a file is asked before it is computed with."""

import math
from collections.abc import Iterable, Mapping

from bench.trust.visit import Visit
from devices.samples import WAITED, Samples

# Seconds of one inference outside these bounds can't come from a clock.
SHORTEST_S, LONGEST_S = 1e-9, 1e6
LONGEST_LOG = math.log(LONGEST_S / SHORTEST_S)  # no two differ by more
_LATEST_S = 1e9  # on a sweep's clock
_FASTEST_HZ = 1e12


def impossible(visit: Visit) -> str | None:
    """What can't have been measured of a visit, in words; None where all of it can."""
    if not 0 <= visit.at_s <= _LATEST_S:
        return f"it began at {visit.at_s} s"
    found = _no_seconds(visit.settle_s) or _no_samples(visit.samples)
    for reading in visit.all_readings() if not found else ():
        if not 0 <= reading.at_s <= 2 * _LATEST_S or not (
            reading.clock_hz is None or 0 < reading.clock_hz < _FASTEST_HZ
        ):
            return f"a reading at {reading.at_s} s of a clock of {reading.clock_hz} Hz"
        for samples in reading.workloads.values():
            found = found or _no_samples(samples)
    return found


def _no_samples(samples: Samples) -> str | None:
    if not samples.seconds:
        return "no samples"
    if not all(math.isfinite(value) for values in samples.evidence.values() for value in values):
        return "evidence that is no number"
    return _no_seconds(samples.seconds) or next(filter(None, map(_endless_wait, samples.conditions)), None)


def _no_seconds(seconds: Iterable[float]) -> str | None:
    return next((f"a sample of {each} s" for each in seconds if not SHORTEST_S <= each <= LONGEST_S), None)


def _endless_wait(table: Mapping[str, object]) -> str | None:
    waited_s = table.get(WAITED, 0.0)
    possible = isinstance(waited_s, int | float) and 0 <= waited_s < math.inf
    return None if possible else f"it waited {waited_s!r} s"[:80]
