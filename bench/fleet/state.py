"""How far the sweeps of a fleet are and what each device does now; told by many threads, read by the one that shows it.

What is told costs the same for one device and for thousands.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from bench.fleet.watch import Place, Watch
from bench.progress import Bar

IDLE = "idle"
_WAITS = "waits for a device"
_PREPARES = "prepares its devices"
_MEASURE = "measure"


class Row(NamedTuple):
    """What is shown of a device, or of a target that has none now."""

    target: str
    host: str
    device: str
    network: str
    visits: str
    left_s: float | None


class Pace:
    """What is left of a stage at the pace since the first time that it was told how much is done.

    That first time is no zero: a resumed sweep begins in the middle.
    """

    def __init__(self, total: float) -> None:
        self._total = total
        self._first: tuple[float, float] | None = None
        self._last = (0.0, 0.0)

    def at(self, done: float, now_s: float) -> None:
        """So much is done now."""
        self._first = self._first or (done, now_s)
        self._last = (done, now_s)

    def left_s(self, now_s: float) -> float | None:
        """Seconds that are left, None as long as there is no pace."""
        done, at_s = self._last
        if self._first is None or done <= self._first[0]:
            return None
        took_s = (at_s - self._first[1]) / (done - self._first[0])
        return max(0.0, took_s * (self._total - done) - (now_s - at_s))


@dataclass
class _Device:
    network: str
    visits: int = 0


@dataclass
class _Target:
    stage: str = ""
    text: str = _WAITS
    pace: Pace | None = None
    devices: dict[Place, _Device] = field(default_factory=dict)


class State:
    """The targets of `names` and their devices."""

    def __init__(self, names: list[str], now_s: Callable[[], float] = time.monotonic) -> None:
        self._lock, self._now_s, self._count = threading.Lock(), now_s, len(names)
        self._targets = {name: _Target() for name in names}
        self._devices = self._visits = self._losses = 0
        self._last_loss = ""

    def watch(self, name: str) -> Watch:
        """What tells of one target."""
        return _TargetWatch(self, name)

    def shown(self, most: int) -> list[Row]:
        """At most so many rows, shared among the targets; where some are left out a row says how many."""
        now_s = self._now_s()
        with self._lock:
            targets = list(itertools.islice(self._targets.items(), most))
            if (without := len(self._targets) - len(targets)) and targets:
                targets.pop()
            shares = shares_of([max(1, len(target.devices)) for _, target in targets], most - bool(without))
            rows = [
                row
                for (name, target), share in zip(targets, shares, strict=True)
                for row in _rows(name, target, share, now_s)
            ]
            return [*rows, Row(f"… and {without + 1} more", "", "", "", "", None)] if without else rows

    def summary(self) -> list[str]:
        """All of it in a line, and in another one the last loss of a device, if there was one."""
        with self._lock:
            done = self._count - len(self._targets)
            devices = f"{self._devices} device{'s' * (self._devices != 1)}"
            visits = f"{self._visits} visit{'s' * (self._visits != 1)}"
            lost = [f"{self._losses} lost, the last one {self._last_loss}"] if self._losses else []
            return [f"{done} of {self._count} targets done; {devices}, {visits}", *lost]

    def _begin(self, name: str, stage: str, total: float) -> None:
        with self._lock:
            target = self._targets[name]
            target.stage, target.pace = stage, Pace(total)
            target.text = _WAITS if stage == _MEASURE else f"{stage} of {total:g} networks"

    def _at(self, name: str, done: float, text: str) -> None:
        with self._lock:
            target = self._targets[name]
            if target.pace is not None:
                target.pace.at(done, self._now_s())
            if target.stage != _MEASURE:
                target.text = f"{target.stage} {done:g}: {text}"

    def _end_stage(self, name: str) -> None:
        with self._lock:
            target = self._targets[name]
            target.stage, target.pace, target.text = "", None, _PREPARES

    def _begins(self, name: str, place: Place, network: str) -> None:
        with self._lock:
            target = self._targets[name]
            text = network if target.stage == _MEASURE else f"loads {network}"
            if place in target.devices:
                target.devices[place].network = text
            else:
                target.devices[place] = _Device(text)
                self._devices += 1

    def _done(self, name: str, place: Place, visit: bool) -> None:
        with self._lock:
            self._visits += visit
            if (device := self._targets[name].devices.get(place)) is not None:
                device.network = IDLE
                device.visits += visit

    def _lost(self, name: str, place: Place, reason: str) -> None:
        with self._lock:
            self._losses += 1
            self._last_loss = f"{name} on {place.host}: {reason}"
            if self._targets[name].devices.pop(place, None) is not None:
                self._devices -= 1

    def _end(self, name: str) -> None:
        with self._lock:
            if (target := self._targets.pop(name, None)) is not None:
                self._devices -= len(target.devices)


def shares_of(counts: Sequence[int], most: int) -> list[int]:
    """How many of each count are shown where `most` are in all: the same of each, and what one doesn't need others get.

    At least one of each is shown.
    """
    shares = [0] * len(counts)
    left = most
    for place, (index, count) in enumerate(sorted(enumerate(counts), key=lambda each: each[1])):
        shares[index] = max(1, min(count, left // (len(counts) - place)))
        left -= shares[index]
    return shares


def _rows(name: str, target: _Target, most: int, now_s: float) -> Iterator[Row]:
    left_s = target.pace.left_s(now_s) if target.pace is not None else None
    if not target.devices:
        yield Row(name, "", "", target.text, "", left_s)
        return
    hidden = len(target.devices) - most
    for place, device in itertools.islice(target.devices.items(), most if hidden <= 0 else max(1, most - 1)):
        yield Row(name, place.host, place.device or "", device.network, str(device.visits), left_s)
    if hidden > 0 and most > 1:
        yield Row(name, f"… and {hidden + 1} more", "", "", "", left_s)


class _Told(Bar):
    def __init__(self, state: State, name: str) -> None:
        super().__init__()
        self._state, self._name = state, name

    def at(self, done: float, text: str) -> None:
        self._state._at(self._name, done, text)


class _TargetWatch(Watch):
    def __init__(self, state: State, name: str) -> None:
        self._state, self._name = state, name

    @contextmanager
    def stage(self, name: str, total: float) -> Iterator[Bar]:
        self._state._begin(self._name, name, total)
        yield _Told(self._state, self._name)
        self._state._end_stage(self._name)

    def begins(self, place: Place, network: str) -> None:
        self._state._begins(self._name, place, network)

    def done(self, place: Place, *, visit: bool) -> None:
        self._state._done(self._name, place, visit)

    def lost(self, place: Place, reason: str) -> None:
        self._state._lost(self._name, place, reason)

    def end(self) -> None:
        self._state._end(self._name)
