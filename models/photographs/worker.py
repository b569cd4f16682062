"""A process that prepares one photograph after the other for the pool."""

import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from models.photographs.decode import LargeImage, UnreadableImage, decode
from models.photographs.preprocessing import Preprocessing, preprocess
from system.child import guard_child, reason_of_death

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NICENESS = 19  # the most

# What is said of an image that is larger than was allowed.
LARGE = "large"


class Worker:
    """A process that prepares images, and this process's end of the pipe to it."""

    def __init__(self, how: Preprocessing) -> None:
        import numpy as np

        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__, "numpy", "PIL.Image"])
        self._connection, there = context.Pipe()
        self._process = context.Process(target=_work, args=(there, how), daemon=True)
        self._process.start()
        there.close()
        self._shape = (3, how.resolution_px, how.resolution_px)
        self._dtype = np.float32

    def prepare(self, path: Path, most_px: int | None) -> "tuple[NDArray[np.float32] | None, str]":
        """The input made of an image and the remark on it, or None and the reason; LARGE for more than `most_px`.

        Raises EOFError or OSError where the process ended.
        """
        import numpy as np

        self._connection.send((path, most_px))
        readable, said = self._connection.recv()
        if not readable:
            return None, said
        values = np.empty(self._shape, self._dtype)
        _receive(self._connection, values)
        return values, said

    def kill(self) -> None:
        """End the process; whoever waits for its answer gets EOFError."""
        self._process.kill()

    def reason_of_death(self) -> str:
        """Why the process ended, once it has."""
        return reason_of_death(self._process)


def _work(connection: Connection, how: Preprocessing) -> None:
    """Prepare what the other end asks for, until it is closed."""
    guard_child()
    # What prepares takes what inferences leave: beside its threads it would stop each of them in turn, and all wait.
    os.nice(_NICENESS)
    try:
        while True:
            path, most_px = connection.recv()
            values, said = prepare(path, how, most_px)
            connection.send((values is not None, said))
            if values is not None:
                _send(connection, values)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _send(connection: Connection, values: "NDArray[np.float32]") -> None:
    """The bytes of an array alone: a connection's own methods copy them thrice more."""
    left = values.data.cast("B")
    while left:
        left = left[os.write(connection.fileno(), left) :]


def _receive(connection: Connection, values: "NDArray[np.float32]") -> None:
    """Fill an array with what `_send` sends. Raises EOFError or OSError where the other end is closed."""
    left = values.data.cast("B")
    while left:
        if not (count := os.readv(connection.fileno(), [left])):
            raise EOFError
        left = left[count:]


def prepare(path: Path, how: Preprocessing, most_px: int | None = None) -> "tuple[NDArray[np.float32] | None, str]":
    """The input made of an image and the remark on it, or None and the reason; LARGE for more than `most_px` pixels."""
    try:
        image, remark = decode(path, most_px=most_px)
        return preprocess(image, how), remark
    except LargeImage:
        return None, LARGE
    except UnreadableImage as error:
        return None, error.reason
    except MemoryError:
        return None, "out of memory"
