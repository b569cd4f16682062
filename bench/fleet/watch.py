"""`Watch`: what a sweep on a fleet tells of its devices while it runs; `bench.fleet.board` shows it."""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from bench.progress import Bar


class Place(Protocol):
    """A device on a host; `device` is its name among several that are equal, such as a phone's serial."""

    host: str
    device: str | None


class Watch:
    """What one target's sweep tells, from any thread. This one shows nothing."""

    def stage(self, name: str, total: float) -> AbstractContextManager[Bar]:
        """A stage of the sweep, open while it lasts."""
        return nullcontext(Bar())

    def begins(self, place: Place, network: str) -> None:
        """A device begins to load or to visit a network."""

    def done(self, place: Place, *, visit: bool) -> None:
        """A device is done with its network; whether that was a visit."""

    def lost(self, place: Place, reason: str) -> None:
        """A device is gone."""

    def end(self) -> None:
        """The sweep is over."""


NOBODY = Watch()
