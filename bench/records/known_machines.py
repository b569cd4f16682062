"""What sweeps leave for those of other results folders on the same machine, in a folder of the user's cache.

An epoch so has one condition, whichever folder its records are in, and what a sweep learnt of a network the next one
knows. A results folder can do without: it has its own condition and records. So whatever is wrong here is said in a
line, and the sweep goes on.
"""

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.records.epoch import FILE, Epoch, Frozen, freeze, frozen
from bench.records.history import Said, last_sweeps
from bench.records.journal import Started
from bench.records.keyed_file import change_keyed, read_keyed
from system.errors import UserError
from system.files import user_cache

# Names another folder, where the cache is not kept.
FOLDER_VARIABLE = "ZENNET_MACHINES"
_FIX = f"name another folder by {FOLDER_VARIABLE}"


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What one sweep said of each network, by name, with `reference_s` as the condition that its numbers refer to."""

    reference_s: dict[str, float]
    said: dict[str, Said]


def condition_known(epoch: Epoch) -> Frozen | None:
    """The condition of an epoch in this machine's first sweep, which is said on stderr; None where none is known."""
    found = None
    with _said_only():
        found = frozen(_folder(), epoch)
    if found is not None:
        kept = f"sweep {found.sweep} of {found.since[:10]} ({_folder() / FILE})"
        print(f"note: numbers refer to the condition of the machine in its first sweep, {kept}", file=sys.stderr)  # noqa: T201
    return found


def sweeps_known(started: Started, reference_s: Mapping[str, float]) -> dict[str, dict[str, Said]]:
    """What other sweeps that are like one said of each network, by their ids, the last ten.

    Those whose numbers refer to another condition are left out.
    """
    left: dict[str, Left] = {}
    with _said_only():
        left = read_keyed(_file(started), Left)
    left.pop(started.sweep, None)
    return {
        sweep: {name: said for name, said in each.said.items() if said.told.possible}
        for sweep, each in left.items()
        if each.reference_s == reference_s
    }


def leave(started: Started, condition: Frozen, said: Mapping[str, Said]) -> None:
    """Leave what a sweep found for others: a condition where the machine has none, and what it said of networks."""
    assert started.epoch is not None
    with_error = {name: each for name, each in said.items() if each.told.possible}  # infinity is no JSON
    left = Left(reference_s=condition.reference_s, said=with_error)

    def with_this(known: dict[str, Left]) -> dict[str, Left]:
        others = {sweep: each for sweep, each in known.items() if sweep != started.sweep}
        return last_sweeps(others | {started.sweep: left})

    with _said_only():
        freeze(_folder(), started.epoch, condition, fix=_FIX)
        change_keyed(_file(started), Left, with_this, fix=_FIX)


def _folder() -> Path:
    return Path(os.environ.get(FOLDER_VARIABLE) or user_cache() / "machines")


def _file(started: Started) -> Path:
    """That of all sweeps of a target, by its options, in an epoch; those of a heat-soaked device are not mixed in."""
    assert started.epoch is not None
    told = msgspec.json.encode((started.target, started.protocol.sustained), order="sorted")
    name = f"{started.target.name}-{hashlib.sha256(told).hexdigest()[:12]}.json"
    return _folder() / started.epoch.name / name


@contextmanager
def _said_only() -> Iterator[None]:
    try:
        yield
    except UserError as error:
        print(f"note: {error}", file=sys.stderr)  # noqa: T201
