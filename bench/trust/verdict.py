"""Whether a number can be trusted: the rules, one function each, applied in order, in sentences that say what to do."""

import math
from collections import Counter
from statistics import median
from typing import Literal, cast

import msgspec

from bench.protocol import Protocol
from bench.trust.measurement import Measurement
from bench.trust.rejection import rejection_details
from bench.trust.statistics import FEWEST_VISITS, difference, t_quantile

Word = Literal["stable", "corrected", "noisy", "contended", "throttled", "drifting", "too few samples", "enqueue-bound"]
# Numbers that can be used and compared.
USABLE = ("stable", "corrected")
# Share of the GPU's time above which the host's queueing decides the number (trtexec warns at the same).
_ENQUEUE_BOUND = 0.8


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a number can be trusted, and if not, why: `detail` says what was seen and what to do."""

    word: Word
    detail: str = ""

    @property
    def usable(self) -> bool:
        """Whether the number can be used and compared."""
        return self.word in USABLE


def judge(measurement: Measurement, protocol: Protocol) -> Verdict:
    """The first rule that objects, else "corrected" or "stable"."""
    for rule in (_rejected, _too_few, _drifting, _noisy, _enqueue_bound, _corrected):
        verdict = rule(measurement, protocol)
        if verdict is not None:
            return verdict
    return Verdict(word="stable", detail=_interval(measurement))


def _rejected(measurement: Measurement, protocol: Protocol) -> Verdict | None:
    """Too few visits are left, since half of them or more were rejected: the word is the most frequent reason."""
    reasons = Counter(why for why in measurement.rejections if why is not None)
    if len(measurement.counted) >= _needed(protocol) or 2 * reasons.total() < len(measurement.visits):
        return None
    word = cast(Word, reasons.most_common(1)[0][0])
    details = Counter(
        detail for visit in measurement.visits for detail in rejection_details(visit, measurement.lost_share)
    )
    seen = ", ".join(f"{detail} in {count} of them" for detail, count in details.most_common(2))
    advice = "measure while nothing else runs" if word == "contended" else "cool the device, or lower its load"
    return Verdict(word=word, detail=f"{_visits(measurement)} count: {seen}; {advice}")


def _too_few(measurement: Measurement, protocol: Protocol) -> Verdict | None:
    if len(measurement.counted) >= _needed(protocol):
        return None
    option = "--max-visits" if len(measurement.visits) >= protocol.max_visits else "--budget"
    detail = f"{_visits(measurement)} count, of at least {_needed(protocol)}; give a larger {option}"
    return Verdict(word="too few samples", detail=detail)


def _drifting(measurement: Measurement, protocol: Protocol) -> Verdict | None:
    """The second half of a wide number's visits differs from the first by more than their scatter (Welch, 5 %)."""
    if measurement.estimate.half_width <= protocol.usable_interval or len(measurement.counted) < 2 * FEWEST_VISITS:
        return None
    logs = [math.log(value) for value in measurement.beside_devices]
    change, error, freedom = difference(logs[: len(logs) // 2], logs[len(logs) // 2 :])
    if abs(change) <= t_quantile(0.975, freedom) * error:
        return None
    way = "slower" if change > 0 else "faster"
    detail = f"{abs(change):.1%} {way} in the second half; {_interval(measurement)}; let it warm up or cool, and repeat"
    return Verdict(word="drifting", detail=detail)


def _noisy(measurement: Measurement, protocol: Protocol) -> Verdict | None:
    if measurement.estimate.half_width <= protocol.usable_interval:
        return None
    fix = "give a larger --budget, or measure with --repeat on a quieter machine"
    if measurement.levels_s and measurement.alone.half_width <= protocol.usable_interval:
        apart = f"its {len(measurement.levels_s)} devices lie {measurement.device_spread - 1:.1%} apart"
        fix = f"{apart}, measure on more of them, or on one alone"
    detail = f"{_interval(measurement)}; {fix}"
    return Verdict(word="noisy", detail=detail)


def _enqueue_bound(measurement: Measurement, protocol: Protocol) -> Verdict | None:
    """The host needed most of a batch's time to queue it: a faster GPU would not be seen.

    A full launch queue makes the host wait for the GPU, so the smallest enqueue time of a visit is what queueing takes.
    """
    shares = [
        min(visit.samples.evidence["enqueue_s"]) / median(visit.samples.seconds)
        for visit in measurement.visits
        if visit.samples.evidence.get("enqueue_s")
    ]
    if not shares or median(shares) <= _ENQUEUE_BOUND:
        return None
    detail = f"queueing takes {median(shares):.0%} of the GPU's time; use a larger batch, a CUDA graph or a faster host"
    return Verdict(word="enqueue-bound", detail=detail)


def _corrected(measurement: Measurement, protocol: Protocol) -> Verdict | None:
    """What was divided out is more than what the interval leaves open."""
    change = measurement.corrected_by
    if abs(change) <= measurement.estimate.half_width:
        return None
    clock = ""
    if measurement.basis and measurement.basis.clock_hz:
        low_hz, high_hz = measurement.basis.clock_hz
        clock = f" while the clock went from {low_hz / 1e9:.2f} to {high_hz / 1e9:.2f} GHz"
    detail = f"{abs(change):.1%} {'divided out' if change < 0 else 'added'}{clock}, by the reference workloads"
    return Verdict(word="corrected", detail=f"{detail}; {_interval(measurement)}; usable and comparable")


def _needed(protocol: Protocol) -> int:
    return max(FEWEST_VISITS, protocol.min_visits)


def _visits(measurement: Measurement) -> str:
    return f"{len(measurement.counted)} of {len(measurement.visits)} visits"


def _interval(measurement: Measurement) -> str:
    found = measurement.estimate
    within = " within this sweep" if found.within_sweep else ""
    devices = f" on {len(measurement.levels_s)} devices" if measurement.levels_s else ""
    return f"±{found.half_width:.1%}{within} by {_visits(measurement)}{devices}"
