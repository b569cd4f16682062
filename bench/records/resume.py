"""Whether a sweep can go on as it began: same target, protocol, machine, versions and reference workloads."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from bench.protocol import Protocol
from bench.records.conditions import Conditions
from bench.records.epoch import epoch_of
from bench.records.host import Host
from bench.records.journal import Journal, Started
from bench.records.store import read_lines
from devices.host.conditions import Machine
from devices.runtime import runtime_of
from devices.targets import Target
from system.errors import UserError
from system.unreadable import UNREADABLE

# Of the machine that a sweep began on, what must be the same where it goes on.
_SAME_MACHINE = ("cpu", "usable_cores", "memory_bytes", "kernel", "versions")


class _Begun(msgspec.Struct):
    """The little of a record that says on which machine its sweep began."""

    conditions: Conditions = Conditions()


_begun_decoder = msgspec.json.Decoder(_Begun)


def machine_to_go_on_with(results: Path, target: str) -> Machine | None:
    """The machine of the sweep that `--resume` goes on with; None where there is none."""
    if (started := Journal(results, target).started()) is not None:
        return started.conditions.machine
    newest = None
    for _, line in read_lines(results / f"{target}.jsonl"):
        with suppress(*UNREADABLE):  # who reads the records says so
            newest = _begun_decoder.decode(line).conditions.machine
    return newest


def refuse_another(started: Started, target: Target, protocol: Protocol, host: Host) -> None:
    """Raise UserError where a sweep that `started` so would go on as another measurement."""
    differing = [
        *_differing("target", msgspec.structs.asdict(started.target), msgspec.structs.asdict(target)),
        *_differing("protocol", msgspec.structs.asdict(started.protocol), msgspec.structs.asdict(protocol)),
        *other_machine(target, started.conditions.machine, host.machine),
    ]
    # Of an epoch all but the workloads' files was compared by now.
    epochs = (None, epoch_of(host.machine, target, host.workloads))
    if not differing and _measures_its_host(target) and started.epoch not in epochs:
        differing = ["the reference workloads' files were others"]
    if differing:
        raise UserError(
            f"--resume would mix two measurements in sweep {started.sweep}",
            found=", ".join(differing),
            fix="give the same options on the same machine, or leave --resume out",
        )


def other_machine(target: Target, then: Machine, now: Machine) -> list[str]:
    """In what a machine that measures a target is another one, or has other versions; nothing where it is the same.

    The machine that a phone hangs on isn't the one that is measured, so it may be any.
    """
    if not _measures_its_host(target):
        return []
    facts = ({key: getattr(machine, key) for key in _SAME_MACHINE} for machine in (then, now))
    return _differing("machine", *facts)


def _measures_its_host(target: Target) -> bool:
    """Whether a target measures the machine that its sweep runs on."""
    return not runtime_of(target).elsewhere


def _differing(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [f"{kind} {field} was {old[field]!r}, now {new[field]!r}" for field in old if old[field] != new[field]]
