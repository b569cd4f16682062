"""`Session`: an artifact loaded on a target, ready to be timed."""

from typing import Protocol

from devices.samples import Samples
from system.errors import UserError

VIRTUAL_CLOCK = "virtual"


class DeviceFull(UserError):  # noqa: N818 - named as the other ends of a session
    """The device's own memory has no room for a session."""


class Session(Protocol):
    """An artifact loaded on a target, its input already there."""

    ran_on: dict[str, str | int]  # where it truly runs: provider, threads, delegate
    clock: str  # which clock takes the seconds
    aggregates: bool  # whether one `run` gives one sample, a tool's median after its own warm-up

    def run(self, count: int) -> Samples:
        """Run `count` inferences; average nothing."""

    def close(self) -> None:
        """Free the device."""
