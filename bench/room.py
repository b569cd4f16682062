"""Whether another session fits: into this machine's memory, and into its device's own where that has some."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from devices.runtime import runtime_of
from devices.targets import Target
from exporters.artifact import Artifact
from system.machine import available_bytes

# A session takes up to this many times its file while it loads (file, parsed graph, weights in the kernels' layout).
_FILES_A_SESSION = 3
_SPARE_BYTES = 1_000_000_000  # for everything else on the machine


class Load(NamedTuple):
    """A file that is to be loaded on a target."""

    target: Target
    artifact: Artifact


class Room:
    """What sessions take of their device's memory, learned from those that were opened before.

    A file that wasn't opened yet is expected to take as much, for its pixels, as the one that took most for its own:
    workspaces and features grow with the pixels. Before anything was opened everything is expected to fit.
    """

    def __init__(self) -> None:
        self._taken_bytes: dict[str, int] = {}
        self._most_a_pixel = 0.0

    def fits(self, *loads: Load) -> bool:
        """Whether sessions of these fit beside those that are open, opened one after the other.

        Beside what they will take, as much as the largest of them takes must be free: a session takes more for a
        moment while it chooses its kernels, and would choose others where it can't.
        """
        here = [load.artifact.size_bytes for load in loads if not runtime_of(load.target).elsewhere]
        if here and available_bytes() < sum(here) * _FILES_A_SESSION + _SPARE_BYTES:
            return False
        on_device = [(load, free) for load in loads if (free := _free_bytes(load.target)) is not None]
        if not on_device:
            return True
        expected = [self._expected_bytes(load) for load, _ in on_device]
        return min(free for _, free in on_device) >= sum(expected) + max(expected)

    @contextmanager
    def learning(self, load: Load) -> Iterator[None]:
        """Learn what a session takes that is opened, and warmed up, within this block."""
        before = _free_bytes(load.target)
        yield
        after = _free_bytes(load.target)
        if before is not None and after is not None:
            # The most of several times: what a session that was closed held may become free only meanwhile.
            taken_bytes = max(before - after, self._taken_bytes.get(_key(load), 0))
            self._taken_bytes[_key(load)] = taken_bytes
            self._most_a_pixel = max(self._most_a_pixel, taken_bytes / _pixels(load))

    def _expected_bytes(self, load: Load) -> float:
        return self._taken_bytes.get(_key(load), self._most_a_pixel * _pixels(load))


def _free_bytes(target: Target) -> int | None:
    return runtime_of(target).free_bytes(target)


def _key(load: Load) -> str:
    return f"{load.artifact.sha256} {load.target}"


def _pixels(load: Load) -> int:
    return load.target.batch * (load.artifact.input_shape[-1] or 1) ** 2
