"""Waiting until a phone is about as cool as it is at rest, which it is asked itself."""

import sys
import time
from typing import NamedTuple

from devices.phone.adb import Link
from devices.phone.options import PhoneOptions
from devices.phone.readings import Readings, read, too_hot

_TELL_S = 30.0  # between two messages while it cools


class Rest(NamedTuple):
    """How a phone was found after a wait: its readings, the seconds waited, and the temperatures it was held to."""

    readings: Readings
    waited_s: float
    idle_c: float | None
    limit_c: float


class Cooling:
    """One phone's idle temperature, and waiting until it is not much warmer.

    The idle temperature is the battery's at the start, screen dimmed and nothing running, and later the lowest that was
    read before a visit. A phone that rests a whole wait in vain, since a charger or the room warms it, has a new one:
    the lowest of that wait.
    """

    def __init__(self, link: Link, options: PhoneOptions) -> None:
        self._link, self._options = link, options
        self._idle_c = read(link, options.mask).battery_c

    @property
    def limit_c(self) -> float:
        """The battery temperature above which the phone cools first."""
        highest_c = self._options.max_temperature_c
        return highest_c if self._idle_c is None else min(highest_c, self._idle_c + self._options.warmer_c)

    def wait(self) -> Rest:
        """Read until the phone is cool, at most `cool_down_max_s`."""
        longest_s, begun_s = self._options.cool_down_max_s, time.monotonic()
        told_s, seen_c, limit_c = begun_s - _TELL_S, [], self.limit_c
        while True:
            readings, now_s = read(self._link, self._options.mask), time.monotonic()
            seen_c += [] if readings.battery_c is None else [readings.battery_c]
            heat = too_hot(readings, limit_c)
            if heat is None or now_s - begun_s >= longest_s:
                rest = Rest(readings, now_s - begun_s, self._idle_c, limit_c)
                self._learn(seen_c, in_vain=heat is not None)
                return rest
            if now_s - told_s >= _TELL_S:
                told_s = now_s
                print(f"phone: {heat}; cooling for {now_s - begun_s:.0f} of {longest_s:.0f} s", file=sys.stderr)  # noqa: T201
            time.sleep(self._options.cool_down_poll_s)

    def _learn(self, seen_c: list[float], *, in_vain: bool) -> None:
        if seen_c:
            lowest_c = min(seen_c)
            self._idle_c = lowest_c if in_vain or self._idle_c is None else min(self._idle_c, lowest_c)
