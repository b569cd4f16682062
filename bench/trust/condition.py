"""The machine's condition at every visit, by what the reference workloads took before, during and after the visits.

Two logarithms, relative to a fixed condition: what the compute workload takes (the clock, above all), and how much more
than that the core-to-core workload takes. Both are the smoothed levels of all readings of a sweep.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from bench.trust.level import Level, local_level
from bench.trust.rejection import reading_s
from bench.trust.visit import COMPUTE, CORE_TO_CORE, Reading, Visit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NAMES = (COMPUTE, CORE_TO_CORE)
# Fewer clean readings don't say how much of their scatter is noise.
_FEWEST_READINGS = 8

Condition = tuple[float, float]


class Track(NamedTuple):
    """The condition through a sweep; `reference_s` is what each workload takes at the condition (0, 0)."""

    levels: Mapping[str, Level]
    reference_s: Mapping[str, float]

    def at(self, at_s: float) -> Condition:
        """The condition at a time of the sweep's clock."""
        compute, core = (self.levels[name].at(at_s) - math.log(self.reference_s[name]) for name in _NAMES)
        return compute, core - compute


def track(visits: Iterable[Visit], lost_share: float, reference_s: Mapping[str, float] | None) -> Track | None:
    """The condition through a sweep by the readings of all its visits; None where there are too few clean ones.

    `reference_s` None takes the medians of this sweep's levels for the condition (0, 0).
    """
    import numpy as np

    readings = _in_time(reading for visit in visits for reading in visit.all_readings())
    levels = {}
    for name in _NAMES:
        at_s, logs = _series(readings, name, lost_share)
        if len(logs) < _FEWEST_READINGS:
            return None
        levels[name] = local_level(at_s, logs)
    if reference_s is None or set(reference_s) != set(_NAMES):
        reference_s = {name: float(np.exp(np.median(level.levels))) for name, level in levels.items()}
    return Track(levels, reference_s)


def clock_range_hz(visits: Iterable[Visit]) -> tuple[float, float] | None:
    """The 5th and 95th percentile of the clock probe's readings; None where there are none."""
    import numpy as np

    rates = [reading.clock_hz for visit in visits for reading in visit.all_readings() if reading.clock_hz]
    if not rates:
        return None
    low, high = np.percentile(rates, [5, 95])
    return float(low), float(high)


def _in_time(readings: Iterable[Reading]) -> list[Reading]:
    """Each reading once: one that ends a visit may be the one that begins the next."""
    ordered = sorted(readings, key=lambda reading: reading.at_s)
    kept: list[Reading] = []
    for reading in ordered:
        if not kept or reading.workloads != kept[-1].workloads:
            kept.append(reading)
    return kept


def _series(
    readings: Sequence[Reading], name: str, lost_share: float
) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    """The times and the logarithms of the seconds of one workload's clean readings."""
    import numpy as np

    found: list[tuple[float, float]] = []
    for reading in readings:
        taken_s = reading_s(reading.workloads[name], lost_share) if name in reading.workloads else None
        if taken_s:
            found.append((reading.at_s, taken_s))
    table = np.array(found, dtype=np.float64).reshape(-1, 2)
    return table[:, 0], np.log(table[:, 1])
