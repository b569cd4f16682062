"""Photographs decoded and prepared by several processes, in order, with a bounded number in memory."""

import threading
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from models.photographs.folder import Photograph
from models.photographs.preprocessing import Preprocessing
from models.photographs.worker import LARGE, Worker, prepare
from system.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Of images with more pixels one is decoded at a time, since Pillow takes up to 8 bytes for each.
_LARGE_PX = 25_000_000

# How much is prepared ahead of whoever takes it, so that nobody waits: two batches of 64 at 300 px.
_AHEAD_BYTES = 150_000_000
_MOST_AHEAD = 256

# Processes that die one after the other, each on another image, are not the images' fault.
_MOST_DEATHS = 10


def prepared(
    images: Sequence[Photograph], how: Preprocessing, *, processes: int
) -> "Generator[tuple[Photograph, NDArray[np.float32] | None, str]]":
    """Each image in order with its input (3, H, W) and the remark on it, or None and why it can't be read.

    With one process or none they are prepared in this one. A process that dies costs the image that it had, which says
    so. Leaving the loop early ends the processes. Raises UserError where one after the other dies.
    """
    if processes <= 1:
        for image in images:
            yield image, *prepare(image.path, how)
        return
    bytes_each = 3 * how.resolution_px**2 * 4
    ahead = max(2 * processes, min(_MOST_AHEAD, _AHEAD_BYTES // bytes_each))
    waiting: deque[tuple[Photograph, Future[tuple[NDArray[np.float32] | None, str]]]] = deque()
    pool = _Pool(how, processes)
    try:
        for image in images:
            waiting.append((image, pool.begin(image.path)))
            if len(waiting) == ahead:
                first, outcome = waiting.popleft()
                yield first, *outcome.result()
        while waiting:
            first, outcome = waiting.popleft()
            yield first, *outcome.result()
    finally:
        pool.close()


class _Pool:
    """A thread for each process, which hands it one image after the other."""

    def __init__(self, how: Preprocessing, processes: int) -> None:
        self._how = how
        self._threads = ThreadPoolExecutor(processes, "photographs")
        self._free: SimpleQueue[Worker | None] = SimpleQueue()
        for _ in range(processes):
            self._free.put(None)  # started when it is needed
        self._lock = threading.Lock()  # of the three below
        self._workers: set[Worker] = set()
        self._deaths = 0
        self._closed = False
        self._one_large = threading.Lock()

    def begin(self, path: Path) -> "Future[tuple[NDArray[np.float32] | None, str]]":
        """Have an image prepared as soon as a process is free."""
        return self._threads.submit(self._prepare, path)

    def close(self) -> None:
        """End the processes, whatever they do."""
        with self._lock:
            self._closed = True
            for worker in self._workers:
                worker.kill()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._workers:
            worker.reason_of_death()

    def _prepare(self, path: Path) -> "tuple[NDArray[np.float32] | None, str]":
        worker = self._free.get()
        free: Worker | None = None
        try:
            worker = worker or self._start()
            try:
                values, said = self._ask(worker, path)
            except (EOFError, OSError):  # the process's end of the pipe is closed
                return None, self._bury(worker)
            free = worker
            return values, said
        finally:
            # Whatever happened: else the next image would wait for it forever.
            self._free.put(free)

    def _ask(self, worker: "Worker", path: Path) -> "tuple[NDArray[np.float32] | None, str]":
        values, said = worker.prepare(path, _LARGE_PX)
        if values is None and said == LARGE:
            with self._one_large:
                values, said = worker.prepare(path, None)
        with self._lock:
            self._deaths = 0
        return values, said

    def _start(self) -> "Worker":
        with self._lock:
            worker = Worker(self._how)
            if self._closed:
                worker.kill()
            self._workers.add(worker)
            return worker

    def _bury(self, worker: "Worker") -> str:
        """Why a process ended. Raises UserError where too many did one after the other."""
        with self._lock:
            if self._closed:
                return "interrupted"
            self._workers.discard(worker)
            reason = f"the process that decoded it: {worker.reason_of_death()}"
            self._deaths += 1
            if self._deaths >= _MOST_DEATHS:
                # No more is said: other threads' images may have added to the count meanwhile.
                wrong = f"{_MOST_DEATHS} processes that decode images died one after the other"
                raise UserError(wrong, found=reason, fix="free memory, or decode with fewer processes")
            return reason
