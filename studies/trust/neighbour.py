"""A busy neighbour, for trying what a measurement does beside one: a process that keeps every core busy."""

import multiprocessing
import os
import time


class Neighbour:
    """While entered, one spinning process a core; with (on_s, off_s) they spin and rest in turn."""

    def __init__(self, turns_s: tuple[float, float] | None) -> None:
        self._turns_s = turns_s
        self._processes: list[multiprocessing.process.BaseProcess] = []

    def __enter__(self) -> "Neighbour":
        if self._turns_s is not None:
            context = multiprocessing.get_context("spawn")
            for _ in range(os.cpu_count() or 1):
                process = context.Process(target=_spin, args=(*self._turns_s, os.getpid()), daemon=True)
                process.start()
                self._processes.append(process)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.join()


def _spin(on_s: float, off_s: float, parent: int) -> None:
    # Memory traffic as well as arithmetic, as a real neighbour has.
    import numpy as np

    matrix = np.random.default_rng(0).normal(size=(512, 512))
    while os.getppid() == parent:  # a parent that was killed could not stop it
        end_s = time.monotonic() + on_s
        while time.monotonic() < end_s and os.getppid() == parent:
            matrix @ matrix
        time.sleep(off_s)
