"""Names: choosing things by name or glob, with the near names in the error when nothing matches, and naming files."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from system.errors import UserError, one_line

_LONGEST = 1000  # characters of a name or glob; structures and paths are no names


def select(pattern: str, names: Iterable[str], kind: str) -> list[str]:
    """The names that `pattern` matches, as a name or a glob, whatever its case; at least one, in the given order.

    Raises UserError naming the nearest names where nothing matches.
    """
    known = list(names)
    if len(pattern) > _LONGEST:  # matching takes a time that grows with its square
        raise UserError(f"no such {kind}", found=one_line(repr(pattern), 80), fix="give a shorter name")
    matches = [name for name in known if fnmatchcase(name.lower(), pattern.lower())]
    if not matches:
        raise UserError(f"no such {kind}", found=repr(pattern), fix=suggestion(pattern, known))
    return matches


def split_at(text: str) -> tuple[str, int | None]:
    """What stands before the last `@` of NAME@NUMBER, and the whole number; all of the text and None of any other."""
    match = re.fullmatch(r"(?P<name>.+)@(?P<number>[0-9]{1,9})", text, re.DOTALL)
    return (match["name"], int(match["number"])) if match else (text, None)


def file_name(name: str) -> str:
    """The name of a model's file or folder: never a path, and different for different models."""
    import hashlib

    safe = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:60]
    return safe if safe == name else f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def suggestion(pattern: str, known: Iterable[str]) -> str:
    """What to write instead of a name that nothing has: the nearest names, or all."""
    import difflib

    lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(pattern.lower(), lower, n=3, cutoff=0.4)
    contain = [low for low in lower if pattern.lower().strip("*") in low]
    near = [lower[low] for low in close or contain[:3]]
    return f"did you mean {' or '.join(near)}?" if near else f"choose from {', '.join(known)}"
