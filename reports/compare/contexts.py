"""How the contexts of two records differ: target, protocol, artifact, device, clock, machine."""

import msgspec

from bench.records.record import Record

# The path depends on the checkout; the fidelity is a result, not a condition.
_NO_CONDITION = ("path", "fidelity")


def differences(old: Record, new: Record) -> list[str]:
    """What differs in the contexts of two records, one line for each field, which it names by its path."""
    return [
        f"{name}: {before!r} before, {after!r} now"
        for name, before, after in _differing("", _context(old), _context(new))
    ]


def _context(record: Record) -> dict[str, object]:
    return {
        "target": msgspec.to_builtins(record.target),
        "protocol": msgspec.structs.asdict(record.protocol),
        "artifact": _artifact(record),
        "ran_on": record.measurement.ran_on if record.measurement else None,
        "clock": record.measurement.clock if record.measurement else None,
        "machine": msgspec.to_builtins(record.conditions.machine),
    }


def _artifact(record: Record) -> dict[str, object] | None:
    if record.artifact is None:
        return None
    return {name: value for name, value in msgspec.to_builtins(record.artifact).items() if name not in _NO_CONDITION}


def _differing(path: str, old: object, new: object) -> list[tuple[str, object, object]]:
    if isinstance(old, dict) and isinstance(new, dict):
        names = dict.fromkeys([*old, *new])
        return [row for name in names for row in _differing(f"{path}.{name}", old.get(name), new.get(name))]
    return [] if old == new else [(path.removeprefix("."), old, new)]
