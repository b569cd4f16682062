"""The one measuring loop: a session's warm-up and its visits, by the protocol alone."""

import math
from collections.abc import Callable
from statistics import median

from bench.protocol import Protocol
from bench.trust.reference import Reference
from bench.trust.visit import Visit
from devices.samples import Samples
from devices.session import Session


def warm_up(session: Session, protocol: Protocol) -> list[float]:
    """Run until the times no longer drift: the medians of their two halves agree. Returns every second, in order.

    A tool that gives aggregates warms up by itself, each time.
    """
    if session.aggregates:
        return []
    seconds = session.run(2).seconds
    while (total := sum(seconds)) < protocol.warmup_max_s:
        half = len(seconds) // 2
        drift = abs(median(seconds[half:]) / median(seconds[:half]) - 1) if median(seconds[:half]) > 0 else 0.0
        if total >= protocol.warmup_s and len(seconds) >= 4 and drift <= protocol.warmup_drift:
            break
        seconds += session.run(_fitting(protocol.warmup_s / 4, seconds[-1])).seconds
    return seconds


def visit(session: Session, protocol: Protocol, now_s: Callable[[], float], reference: Reference) -> Visit:
    """One visit: read the reference workloads, settle, then sample, with readings in between and at the end.

    `now_s` is the clock that `at_s` and the readings' times are read from.
    """
    readings = reference.before(now_s, now_s())
    at_s = now_s()
    if session.aggregates:
        return Visit(at_s=at_s, settle_s=[], samples=session.run(protocol.visit_samples))
    settle_s, parts = _settle(session, protocol)
    for count in _chunks(settle_s, parts, protocol):
        parts.append(session.run(count))
        readings += reference.after(now_s)
    return Visit(at_s=at_s, settle_s=settle_s, samples=_join(parts), readings=readings)


def _settle(session: Session, protocol: Protocol) -> tuple[list[float], list[Samples]]:
    """The runs that bring a session back into the caches; one that takes long loses nothing to that, and counts."""
    first = session.run(max(1, protocol.settle_samples))
    if protocol.settle_samples and min(first.seconds) < protocol.settle_s:
        return first.seconds, []
    return [], [first]


def _chunks(settle_s: list[float], parts: list[Samples], protocol: Protocol) -> list[int]:
    """How many samples to take before each further reading."""
    each_s = median(settle_s or parts[0].seconds)
    count = max(protocol.visit_samples, _fitting(protocol.visit_s, each_s)) - sum(len(part.seconds) for part in parts)
    chunks = max(1, min(count, math.ceil(protocol.visit_s / protocol.reading_every_s)))
    return [count // chunks + (at < count % chunks) for at in range(chunks)] if count > 0 else []


def _fitting(total_s: float, each_s: float) -> int:
    """How many runs of `each_s` fill `total_s`, within reason."""
    return max(1, min(10_000, round(total_s / each_s))) if each_s > 0 else 10_000


def _join(parts: list[Samples]) -> Samples:
    return Samples(
        seconds=[second for part in parts for second in part.seconds],
        evidence={name: [value for part in parts for value in part.evidence[name]] for name in parts[0].evidence},
        conditions=[table for part in parts for table in part.conditions],
    )
