"""When a record ended, what machine it is of, and why it gives no number."""

from bench.records.record import Record
from bench.trust.plausible import LONGEST_S, SHORTEST_S, impossible
from system.errors import one_line


def ended(record: Record) -> str:
    """When the record ended, UTC in ISO 8601, which sorts as text; empty where it is not recorded."""
    end = record.conditions.end
    return end.time if end else ""


def why_missing(record: Record) -> str | None:
    """Why a record gives no number, or None where it does."""
    if record.measurement is None:
        return one_line(record.reason or "no reason recorded")
    seconds = record.measurement.seconds
    if not seconds or not all(part.samples.seconds for part in record.measurement.visits):
        return "its record holds a visit without times"
    if not all(SHORTEST_S <= second <= LONGEST_S for second in seconds):
        return "its record holds times that can't come from a clock (zero, negative, too long or not finite)"
    if (found := next(filter(None, map(impossible, record.measurement.visits)), None)) is not None:
        return one_line(f"its record can't have been measured: {found}")
    if record.target.batch < 1:
        return f"its record says batch {record.target.batch}"
    return None
