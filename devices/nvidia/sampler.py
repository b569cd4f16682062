"""Readings of a device every 50 ms while a round runs, by a thread beside it: what comes and goes is seen too."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_EVERY_S = 0.05


@contextmanager
def sampling(read: Callable[[], dict[str, Any]], every_s: float = _EVERY_S) -> Iterator[list[dict[str, Any]]]:
    """A list that `read` adds to every `every_s` until the block ends; where it fails, so does a block that didn't."""
    readings: list[dict[str, Any]] = []
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
