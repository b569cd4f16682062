"""When a record ended, what machine it is of, and why it gives no number."""

from bench.records.record import Record
from bench.trust.plausible import LONGEST_S, SHORTEST_S
from system.errors import one_line

# Of what a session says of where it ran, what is hardware or how much of it.
_HARDWARE = ("device", "gpu", "threads", "affinity")


def ended(record: Record) -> str:
    """When the record ended, UTC in ISO 8601, which sorts as text; empty where it is not recorded."""
    end = record.conditions.end
    return end.time if end else ""


def hardware_of(record: Record) -> tuple[str, ...]:
    """What the number was measured on; equal for two of one runtime on the same hardware, whatever the batch."""
    machine, ran_on = record.conditions.machine, record.measurement.ran_on if record.measurement else {}
    device = (f"{name} {ran_on[name]}" for name in _HARDWARE if name in ran_on)
    return (record.target.runtime, str(machine.cpu), str(machine.memory_bytes), *device)


def why_missing(record: Record) -> str | None:
    """Why a record gives no number, or None where it does."""
    if record.measurement is None:
        return one_line(record.reason or "no reason recorded")
    seconds = record.measurement.seconds
    if not seconds or not all(part.samples.seconds for part in record.measurement.visits):
        return "its record holds a visit without times"
    if not all(SHORTEST_S <= second <= LONGEST_S for second in seconds):
        return "its record holds times that can't come from a clock (zero, negative, too long or not finite)"
    if (found := record.measurement.why_impossible) is not None:
        return one_line(f"its record can't have been measured: {found}")
    if record.target.batch < 1:
        return f"its record says batch {record.target.batch}"
    return None
