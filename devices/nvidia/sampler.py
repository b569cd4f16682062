"""A reading of a device every 50 ms while a visit runs, by a thread beside it: short changes are seen too."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from devices.samples import DeviceReadings

_EVERY_S = 0.05


@contextmanager
def sampling(read: Callable[[], DeviceReadings], every_s: float = _EVERY_S) -> Iterator[list[DeviceReadings]]:
    """A list that gets one more reading every `every_s` until the block ends; raises then what `read` raised."""
    readings: list[DeviceReadings] = []
    failures: list[Exception] = []
    ended = threading.Event()

    def sample() -> None:
        try:
            while not ended.wait(every_s):
                readings.append(read())
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield readings
    finally:
        ended.set()
        thread.join()
    if failures:
        raise failures[0]
