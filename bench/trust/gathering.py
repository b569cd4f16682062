"""Bringing virtual cores together, as an experiment: kept up only while the readings after it are better.

A host may put two virtual cores under one last-level cache or under two. Waking each other in turn made some hosts move
them together (docs/trust.md); on others it does nothing. So it is tried, its effect is measured, and it ends where
there is none.
"""

import math
import time
from statistics import median, quantiles

from bench.trust.huber import MAD_TO_SD
from bench.trust.statistics import difference, t_quantile
from bench.trust.visit import CORE_TO_CORE, Reading
from devices.host.cores import Cores

_TURN_S = 0.1
# So many tries tell whether it helps at all.
_TRIES = 4
# Fewer readings don't say what is slow here.
_FEWEST_READINGS = 12


class Gathering:
    """At most `share` of a sweep's time goes into bringing cores together.

    A slow reading is followed by a faster one by chance alone, so every other time nothing is done but to read again:
    what helps must gain more than that.
    """

    def __init__(self, share: float) -> None:
        self._share, self._cores = share, Cores()
        self._spent_s = 0.0
        self._logs: list[float] = []
        self._gains: dict[bool, list[float]] = {True: [], False: []}
        self._trying = True

    def add(self, reading: Reading) -> None:
        """Take note of a reading."""
        if CORE_TO_CORE in reading.workloads:
            self._logs.append(_log(reading))

    def wanted(self, reading: Reading, elapsed_s: float) -> bool:
        """Whether to try it now: this reading is slow for this sweep, there is time, and it helped so far."""
        if CORE_TO_CORE not in reading.workloads or self._spent_s + _TURN_S > self._share * elapsed_s:
            return False
        return self._is_slow(_log(reading)) and self.helps

    def gather(self) -> None:
        """Let the cores wake each other for a moment; every other time do nothing, for comparison."""
        begun_s = time.monotonic()
        if self._trying:
            self._cores.gather(_TURN_S)
        self._spent_s += time.monotonic() - begun_s

    def judge(self, before: Reading, after: Reading) -> None:
        """Take note of what it changed."""
        self._gains[self._trying].append(_log(before) - _log(after))
        self._trying = not self._trying

    @property
    def helps(self) -> bool:
        """Whether it gains more than doing nothing, by Welch's t test at 5 %, one-sided; unknown counts as yes."""
        tried, compared = self._gains[True], self._gains[False]
        if min(len(tried), len(compared)) < _TRIES:
            return True
        gain, error, freedom = difference(compared, tried)
        return gain > t_quantile(0.95, freedom) * error

    def close(self) -> None:
        """End the process that the cores wake."""
        self._cores.close()

    def _is_slow(self, log: float) -> bool:
        """Beyond the fast quarter of the sweep's readings by more than three times their scatter."""
        if len(self._logs) < _FEWEST_READINGS:
            return False
        fast = quantiles(self._logs, n=4)[0]
        scatter = median(abs(value - fast) for value in self._logs if value <= median(self._logs))
        return log > fast + 3 * MAD_TO_SD * scatter


def _log(reading: Reading) -> float:
    return math.log(median(reading.workloads[CORE_TO_CORE].seconds))
