"""Runtime `fake`: takes exactly the seconds that its target's table says, by a virtual clock.

Options: `seconds`, by model glob, a number or a list of numbers that repeat in turn; `fail`, by model glob, the
reason for which opening the model fails.
"""

import itertools
from collections.abc import Collection
from fnmatch import fnmatchcase
from typing import Any

from devices.samples import Samples
from devices.targets import Target
from exporters.artifact import Artifact
from system.errors import UserError

IN_PROCESS = True


def absence(target: Target) -> str | None:
    """None: it needs nothing."""
    return None


def options(target: Target) -> Collection[str]:
    """What it understands."""
    return "seconds", "fail"


def now_s() -> float:
    """The virtual clock, in seconds: it moves only while a fake session runs."""
    return _VirtualClock.now_s


def open_session(artifact: Artifact, target: Target) -> "FakeSession":
    """A session for the model that the artifact names.

    Raises UserError where the target's table says that it fails, or says nothing of the model.
    """
    failure = _look_up(target.options.get("fail", {}), artifact.model)
    if failure is not None:
        raise UserError(f"fake device fails {artifact.model}", found=str(failure), fix="as its table says")
    seconds = _look_up(target.options.get("seconds", {}), artifact.model)
    if seconds is None:
        raise UserError(f"fake device has no seconds for {artifact.model}", found="no glob matches", fix='add "*"')
    each_s = seconds if isinstance(seconds, list) else [seconds]
    if not each_s or not all(second > 0 for second in each_s):
        raise UserError(
            f"fake device can't take {artifact.model} so long", found=f"{seconds}", fix="give seconds above 0"
        )
    return FakeSession(each_s)


class FakeSession:
    """Inferences that take the given seconds in turn, over and over."""

    clock = "virtual"
    aggregates = False

    def __init__(self, seconds: list[float]) -> None:
        self.ran_on: dict[str, str | int] = {"device": "fake"}
        self._seconds = itertools.cycle(seconds)

    def run(self, count: int) -> Samples:
        """The table's seconds; only the virtual clock moves."""
        seconds = list(itertools.islice(self._seconds, count))
        _VirtualClock.now_s += sum(seconds)
        return Samples(seconds=seconds)

    def close(self) -> None:
        """Nothing to free."""


class _VirtualClock:
    now_s = 0.0


def _look_up(table: dict[str, Any], model: str) -> Any:
    return next((value for glob, value in table.items() if fnmatchcase(model, glob)), None)
