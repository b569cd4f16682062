"""Whether a sweep can go on as it began: same target, protocol, machine, versions and reference workloads."""

from collections.abc import Mapping
from typing import Any

import msgspec

from bench.protocol import Protocol
from bench.records.epoch import epoch_of
from bench.records.host import Host
from bench.records.journal import Started
from devices.host.conditions import Machine
from devices.targets import Target
from system.errors import UserError

# Of the machine that a sweep began on, what must be the same where it goes on.
_SAME_MACHINE = ("cpu", "usable_cores", "memory_bytes", "kernel", "versions")


def refuse_another(started: Started, target: Target, protocol: Protocol, host: Host) -> None:
    """Raise UserError where a sweep that `started` so would go on as another measurement."""
    differing = [
        *_differing("target", msgspec.structs.asdict(started.target), msgspec.structs.asdict(target)),
        *_differing("protocol", msgspec.structs.asdict(started.protocol), msgspec.structs.asdict(protocol)),
        *other_machine(started.conditions.machine, host.machine),
    ]
    # Of an epoch all but the workloads' files was compared by now.
    if not differing and started.epoch not in (None, epoch_of(host.machine, target, host.workloads)):
        differing = ["the reference workloads' files were others"]
    if differing:
        raise UserError(
            f"--resume would mix two measurements in sweep {started.sweep}",
            found=", ".join(differing),
            fix="give the same options on the same machine, or leave --resume out",
        )


def other_machine(then: Machine, now: Machine) -> list[str]:
    """In what a machine is another one, or has other versions; nothing where it is the same."""
    facts = ({key: getattr(machine, key) for key in _SAME_MACHINE} for machine in (then, now))
    return _differing("machine", *facts)


def _differing(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [f"{kind} {field} was {old[field]!r}, now {new[field]!r}" for field in old if old[field] != new[field]]
