"""Runtime `fake`: takes exactly the seconds that its target's table says, by a virtual clock."""

import itertools
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from devices.options import Options, read_options
from devices.runtime import Runtime
from devices.samples import Samples
from devices.session import VIRTUAL_CLOCK
from devices.targets import Target
from exporters.artifact import Artifact
from system.errors import UserError

Value = TypeVar("Value")


class FakeOptions(Options, frozen=True, kw_only=True):
    """What it takes, and which models fail; of several globs that match a model the first counts."""

    seconds: Annotated[
        dict[str, float | list[float]],
        Meta(description="by glob of models: seconds of an inference, or a list of them that repeats"),
    ] = msgspec.field(default_factory=dict)
    fail: Annotated[dict[str, str], Meta(description="by glob of models: why opening one fails")] = msgspec.field(
        default_factory=dict
    )


def absence(target: Target) -> str | None:
    """None: it needs nothing."""
    return None


def now_s() -> float:
    """The virtual clock, in seconds: it moves only while a fake session runs."""
    return _VirtualClock.now_s


def open_session(artifact: Artifact, target: Target) -> "FakeSession":
    """A session for the model that the artifact names.

    Raises UserError where the target's table says that it fails, or says nothing of the model.
    """
    options = read_options(target, FakeOptions)
    failure = _look_up(options.fail, artifact.model)
    if failure is not None:
        raise UserError(f"fake device fails {artifact.model}", found=failure, fix="as its table says")
    seconds = _look_up(options.seconds, artifact.model)
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

    clock = VIRTUAL_CLOCK
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


def _look_up(table: Mapping[str, Value], model: str) -> Value | None:
    return next((value for glob, value in table.items() if fnmatchcase(model, glob)), None)


RUNTIME = Runtime(absence=absence, open_session=open_session, options=FakeOptions, now_s=now_s, in_process=True)
