"""What a record says beside its number: when it ended, and why it may give none."""

from bench.records.record import Record
from system.errors import one_line

# No inference is done in less, and nobody waits for longer.
_SHORTEST_S, _LONGEST_S = 1e-9, 1e6


def ended(record: Record) -> str:
    """The time at which it ended, as text that sorts; empty where it says none."""
    end = record.conditions.end
    return end.time if end else ""


def why_missing(record: Record) -> str | None:
    """Why a record gives no number, or None where it does."""
    if record.measurement is None:
        return one_line(record.reason or "no reason recorded")
    seconds = record.measurement.seconds
    if not seconds or not all(part.samples.seconds for part in record.measurement.visits):
        return "its record holds a round without times"
    if not all(_SHORTEST_S <= second <= _LONGEST_S for second in seconds):
        return "its record holds times that no clock gives (zero, negative, absurd or not finite)"
    if record.target.batch < 1:
        return f"its record says batch {record.target.batch}"
    return None
