"""In what two records differ beyond their numbers: a comparison across contexts compares those too."""

from typing import Any

import msgspec

from bench.records.record import Record


def differences(old: Record, new: Record) -> list[str]:
    """What differs in the contexts of two records, one line a field: target, protocol, artifact, place, machine."""
    return [
        f"{name}: {before!r} before, {after!r} now"
        for name, before, after in _differing("", _context(old), _context(new))
    ]


def _context(record: Record) -> dict[str, Any]:
    return {
        "target": msgspec.to_builtins(record.target),
        "protocol": msgspec.to_builtins(record.protocol),
        "artifact": _artifact(record),
        "place": record.measurement.ran_on if record.measurement else None,
        "clock": record.measurement.clock if record.measurement else None,
        "machine": msgspec.to_builtins(record.conditions.machine),
    }


def _artifact(record: Record) -> dict[str, Any] | None:
    if record.artifact is None:
        return None
    return {
        name: value for name, value in msgspec.to_builtins(record.artifact).items() if name not in ("path", "fidelity")
    }


def _differing(path: str, old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        names = dict.fromkeys([*old, *new])
        return [row for name in names for row in _differing(f"{path}.{name}", old.get(name), new.get(name))]
    return [] if old == new else [(path.removeprefix("."), old, new)]
