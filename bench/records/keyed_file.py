"""A JSON file of values by key that sweeps of several processes read and change, one at a time."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import msgspec

from system.errors import UserError, one_line
from system.files import alone, write_whole
from system.unreadable import UNREADABLE

Value = TypeVar("Value")


def read_keyed(file: Path, kind: type[Value]) -> dict[str, Value]:
    """What a file holds, nothing where there is none. Raises UserError where it's damaged."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, kind])  # type: ignore[valid-type]
    except FileNotFoundError:
        return {}
    except (OSError, *UNREADABLE) as error:
        raise UserError(f"can't read {file}", found=one_line(error), fix="remove it; a new series begins") from error


def change_keyed(
    file: Path, kind: type[Value], change: Callable[[dict[str, Value]], dict[str, Value]], *, fix: str
) -> None:
    """Write what `change` makes of what a file holds, whole or not at all.

    Raises UserError where it's damaged, which leaves it as it is, or can't be written; `fix` is then what to do.
    """
    with _alone(file, fix):
        known = read_keyed(file, kind)
        changed = change(known)
        if changed != known:
            write_whole(file, msgspec.json.format(msgspec.json.encode(changed)) + b"\n", fix=fix)


def _alone(file: Path, fix: str) -> AbstractContextManager[object]:
    """Against the sweeps of other targets, which may end at the same moment."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return alone(file.with_suffix(".lock"), f"waiting for another sweep, which writes {file}")
    except OSError as error:
        found = error.strerror or str(error)
        raise UserError(f"can't write into {file.parent}", found=found, fix=fix) from error
