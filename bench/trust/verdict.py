"""Whether a number can be trusted: the rules, one function each, applied in order."""

from collections import Counter
from statistics import median
from typing import cast

from bench.protocol import Protocol
from bench.records.record import Measurement, Verdict, Word
from bench.trust.rejection import disturbances

# Rounds whose interval is wider than this, relative to the median, did not measure one and the same thing.
_WIDE = 0.05
# Share of the GPU's time above which the host's queueing decides the number (trtexec warns at the same).
_ENQUEUE_BOUND = 0.8


def judge(measurement: Measurement, protocol: Protocol) -> Verdict:
    """The first rule that objects, or "stable"."""
    for rule in (_disturbed, _too_few, _drifting, _enqueue_bound):
        verdict = rule(measurement, protocol)
        if verdict is not None:
            return verdict
    return Verdict(word="stable", detail=f"±{measurement.estimate.half_width:.1%} across {_counted(measurement)}")


def _too_few(measurement: Measurement, protocol: Protocol) -> Verdict | None:
    if len(measurement.trusted) >= protocol.min_visits:
        return None
    detail = f"{_counted(measurement)} of at least {protocol.min_visits}"
    if "too few samples" in measurement.rejections:
        detail += ", and too few readings of the references to tell which are undisturbed"
    return Verdict(word="too few samples", detail=detail)


def _disturbed(measurement: Measurement, protocol: Protocol) -> Verdict | None:
    """Too few visits are left, since half of them or more were disturbed: the word is what was objected to most."""
    rejections = Counter(why for why in measurement.rejections if why not in (None, "too few samples"))
    if len(measurement.trusted) >= protocol.min_visits or 2 * rejections.total() < len(measurement.visits):
        return None
    word = rejections.most_common(1)[0][0]
    return Verdict(word=cast(Word, word), detail=f"{_counted(measurement)} undisturbed{_by_what(measurement)}")


def _drifting(measurement: Measurement, protocol: Protocol) -> Verdict | None:
    width = measurement.estimate.half_width
    return Verdict(word="drifting", detail=f"±{width:.1%} across {_counted(measurement)}") if width > _WIDE else None


def _enqueue_bound(measurement: Measurement, protocol: Protocol) -> Verdict | None:
    """The host needed most of a batch's time to queue it: a faster GPU would not be seen.

    A full launch queue makes the host wait for the GPU, so the smallest enqueue time of a round is what queueing takes.
    """
    shares = [
        min(part.samples.evidence["enqueue_s"]) / median(part.samples.seconds)
        for part in measurement.visits
        if part.samples.evidence.get("enqueue_s")
    ]
    if not shares or median(shares) <= _ENQUEUE_BOUND:
        return None
    return Verdict(word="enqueue-bound", detail=f"queueing takes {median(shares):.0%} of the GPU's time")


def _counted(measurement: Measurement) -> str:
    return f"{len(measurement.trusted)} of {len(measurement.visits)} visits"


def _by_what(measurement: Measurement) -> str:
    """In how many visits each kind of evidence showed a disturbance; empty where a condition alone did."""
    found = Counter(what for part in measurement.visits for what in disturbances(part, measurement.limits))
    listed = ", ".join(f"{_EVIDENCE[what]} in {count}" for what, count in found.most_common())
    return f": {listed}" if listed else ""


_EVIDENCE = {
    "waiting": "threads waited for a core",
    "arithmetic": "the arithmetic reference was slow",
    "exchange": "the cores' exchange was slow",
}
