"""What a host is and which targets can run on it, found out by a process of its own under a target's Python.

`python -m devices.fleet.inspection` reads what is asked from stdin and answers a line at a time, so that an answer
which never comes costs none of those before it. It is of the lowest priority, since somebody may be measuring there.
"""

import os
import signal
import sys
from contextlib import suppress

import msgspec

from devices.targets import Target

_LONGEST_S = 180


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A target that is asked about, and the environment that it runs in."""

    target: Target
    environment: str


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a host is asked."""

    wanted: list[Wanted]


class Phone(msgspec.Struct, frozen=True, kw_only=True):
    """A phone at a host; `state` is adb's word, "device" where it can be used."""

    serial: str
    state: str
    model: str


class Facts(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A host: the physical cores that a measurement gets, its memory, and what hangs on it."""

    cores: int
    memory_bytes: int
    gpus: list[str]
    phones: list[Phone]


class Absence(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Why a target can't run there, or None where it can."""

    target: str
    reason: str | None


class Inspected(msgspec.Struct, frozen=True, kw_only=True):
    """A host's answer; `facts` None where it found out nothing of itself."""

    facts: Facts | None
    absences: list[Absence]


# One line of a host's answer.
Answer = Facts | Absence


def facts() -> Facts:
    """This host."""
    import psutil

    from system.gpu import gpu_names
    from system.machine import usable_cores

    return Facts(cores=usable_cores(), memory_bytes=psutil.virtual_memory().total, gpus=gpu_names(), phones=_phones())


def _phones() -> list[Phone]:
    from devices.phone.adb import listed
    from devices.phone.options import PhoneOptions
    from system.errors import UserError

    with suppress(UserError):  # no adb: nobody can measure on a phone here
        return [Phone(serial=each.serial, state=each.state, model=each.model) for each in listed(PhoneOptions())]
    return []


def main() -> int:
    """Answer what is asked."""
    from devices.runtime import absence_of

    signal.alarm(_LONGEST_S)  # whoever asked may be gone by then
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Asked)
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    answers.write(msgspec.json.encode(facts()) + b"\n")
    os.nice(19)  # only now: an adb server that was started for the phones stays, with the priority of who started it
    for each in asked.wanted:
        answer = Absence(target=each.target.name, reason=absence_of(each.target))
        answers.write(msgspec.json.encode(answer) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
