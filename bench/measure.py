"""The one measuring loop: a session's warm-up and its visits, by the protocol alone."""

from collections.abc import Callable
from statistics import median

from bench.protocol import Protocol
from bench.trust.reference import Reference
from bench.trust.rejection import Limits, Visit
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


def visit(
    session: Session,
    protocol: Protocol,
    now_s: Callable[[], float],
    reference: Reference,
    limits: Limits,
    patience_s: float,
) -> Visit:
    """One visit of a round: settle, then sample, between two readings of the references.

    `now_s` is the clock that `at_s` is read from; `limits` say which reading is worth waiting for, up to `patience_s`.
    """
    before, at_s = reference.before(limits, patience_s), now_s()
    if session.aggregates:
        return Visit(at_s=at_s, settle_s=[], samples=session.run(protocol.visit_samples))
    settle = session.run(protocol.settle_samples).seconds if protocol.settle_samples else []
    first = session.run(protocol.visit_samples)
    rest = protocol.visit_s - sum(first.seconds)
    parts = [first]
    if rest > 0:
        parts.append(session.run(_fitting(rest, median(first.seconds))))
    return Visit(at_s=at_s, settle_s=settle, samples=_join(parts), before=before, after=reference.after())


def _fitting(total_s: float, each_s: float) -> int:
    """How many runs of `each_s` fill `total_s`, within reason."""
    return max(1, min(10_000, round(total_s / each_s))) if each_s > 0 else 10_000


def _join(parts: list[Samples]) -> Samples:
    return Samples(
        seconds=[second for part in parts for second in part.seconds],
        evidence={name: [value for part in parts for value in part.evidence[name]] for name in parts[0].evidence},
        conditions=[table for part in parts for table in part.conditions],
    )
