"""A reading of a device every 50 ms while a visit runs, by a thread beside it: short changes are seen too."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from devices.samples import DeviceReadings

_EVERY_S = 0.05  # twenty readings in a visit of one second


@contextmanager
def sampling(read: Callable[[], DeviceReadings]) -> Iterator[list[DeviceReadings]]:
    """A list that gets one more reading every 50 ms until the block ends; raises then what `read` raised."""
    readings: list[DeviceReadings] = []
    failures: list[Exception] = []
    ended = threading.Event()

    def sample() -> None:
        try:
            while not ended.wait(_EVERY_S):
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
