"""`Board`: how far the sweeps of a fleet are, a line of each target."""

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from bench.progress import Bar, in_lines


class Board:
    """Progress of several sweeps at once."""

    def __init__(self, targets: Sequence[str]) -> None:
        self._targets = targets

    def __enter__(self) -> "Board":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def stages(self, target: str) -> Callable[[str, float], AbstractContextManager[Bar]]:
        """The stages of one target's sweep."""
        return functools.partial(_stage, target)


def _stage(target: str, name: str, total: float) -> AbstractContextManager[Bar]:
    return in_lines(f"{target}: {name}", total)
