"""The one measuring loop: a session's warm-up and its visits, by the protocol alone."""

import math
from collections.abc import Callable
from statistics import median

from bench.protocol import Protocol
from bench.trust.reference import Reference
from bench.trust.visit import Visit
from devices.samples import STEADY, TEMPERATURE, Samples
from devices.session import Session
from devices.worker import SessionLost


def warm_up(session: Session, protocol: Protocol) -> list[float]:
    """Run until times, clocks and power drift no longer, nor for `sustained` the temperature; the seconds of each run.

    A tool that gives aggregates warms up by itself, each time. Raises SessionLost where `sustained` is asked of a
    device that tells no temperature.
    """
    if session.aggregates and not protocol.sustained:
        return []
    parts = [session.run(2)]
    if protocol.sustained and (session.aggregates or not _temperatures(parts)):
        raise SessionLost("no temperature is told while it runs, to wait until it is steady; leave --sustained out")
    limit_s = protocol.soak_max_s if protocol.sustained else protocol.warmup_max_s
    while _sampled_s(parts) < limit_s and not _is_warm(parts, protocol):
        parts.append(session.run(_fitting(protocol.warmup_s / 4, parts[-1].seconds[-1])))
    return _seconds(parts)


def _is_warm(parts: list[Samples], protocol: Protocol) -> bool:
    if _sampled_s(parts) < protocol.warmup_s or (protocol.sustained and not _is_soaked(parts, protocol)):
        return False
    seconds = _seconds(parts)
    if len(seconds) < 4 or not _is_steady(parts, protocol):
        return False
    half = len(seconds) // 2
    before_s = median(seconds[:half])
    return before_s <= 0 or abs(median(seconds[half:]) / before_s - 1) <= protocol.warmup_drift


def _is_steady(parts: list[Samples], protocol: Protocol) -> bool:
    """Whether clocks and power are in the last run what they were in the one before; what isn't told is no change."""
    earlier, later = (part.conditions[-1] if part.conditions else {} for part in parts[-2:])
    pairs = [(earlier[name], later[name]) for name in STEADY if earlier.get(name) and later.get(name)]
    return all(abs(after / before - 1) <= protocol.warmup_drift for before, after in pairs)


def _is_soaked(parts: list[Samples], protocol: Protocol) -> bool:
    """Whether the temperature changed by one degree at most, which is as fine as it is told, for `soak_s`."""
    for count in range(1, len(parts) + 1):
        if _sampled_s(parts[-count:]) >= protocol.soak_s:
            found = _temperatures(parts[-count:])
            return max(found) - min(found) <= 1
    return False


def _temperatures(parts: list[Samples]) -> list[float]:
    tables = [table for part in parts for table in part.conditions]
    return [table[TEMPERATURE] for table in tables if table.get(TEMPERATURE) is not None]


def _seconds(parts: list[Samples]) -> list[float]:
    return [second for part in parts for second in part.seconds]


def _sampled_s(parts: list[Samples]) -> float:
    return sum(sum(part.seconds) for part in parts)


def visit(session: Session, protocol: Protocol, now_s: Callable[[], float], reference: Reference) -> Visit:
    """One visit: read the reference workloads, settle, then sample, with readings in between and at the end.

    `now_s` is the sweep's clock, of `at_s` and of the readings.
    """
    readings = reference.before(now_s)
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
        seconds=_seconds(parts),
        evidence={name: [value for part in parts for value in part.evidence[name]] for name in parts[0].evidence},
        conditions=[table for part in parts for table in part.conditions],
    )
