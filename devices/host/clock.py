"""The one stopwatch for everything that runs on this machine: each sample with the evidence of what disturbed it."""

import functools
import itertools
import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from devices.samples import Samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = "host: time.perf_counter_ns around each inference"

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
# Steal is counted in ticks, so it says nothing of less than one. With the caches as an inference leaves them a reading
# takes about 0.1 ms: of two ticks, half a percent.
_READ_EVERY_S = 2 / _TICKS_A_SECOND

_slowdown: ContextVar[float] = ContextVar("slowdown", default=0.0)


def time_each(call: Callable[[], object], count: int) -> Samples:
    """Call `call` `count` times; the seconds of each, and in proportion to them what the counters say of each group.

    A group is the fewest calls in a row that take `_READ_EVERY_S`, one where that takes as long; the counters are read
    between groups, outside of the seconds.
    """
    if share := _slowdown.get():
        call = _lengthened(call, share)
    seconds: list[float] = []
    evidence: dict[str, list[float]] = {name: [] for name in _Counters.NAMES}
    with _Counters() as counters:
        before, group_s = counters.read(), 0.0
        for left in reversed(range(count)):
            start_ns = time.perf_counter_ns()
            call()
            end_ns = time.perf_counter_ns()
            seconds.append((end_ns - start_ns) * 1e-9)
            group_s += seconds[-1]
            if group_s >= _READ_EVERY_S or left == 0:
                after = counters.read()
                for name, old, new in zip(_Counters.NAMES, before, after, strict=True):
                    evidence[name] += _shared(new - old, seconds[len(evidence[name]) :])
                before, group_s = after, 0.0
    return Samples(seconds=seconds, evidence=evidence)


def _shared(counted: float, seconds: list[float]) -> list[float]:
    """What was counted over a group of calls, in proportion to what each took."""
    whole_s = sum(seconds)
    return [counted * each_s / whole_s if whole_s else counted / len(seconds) for each_s in seconds]


@contextmanager
def lengthening(share: float) -> Iterator[None]:
    """Within the block every call that `time_each` times takes longer by this share of its time, on purpose."""
    token = _slowdown.set(share)
    try:
        yield
    finally:
        _slowdown.reset(token)


def _lengthened(call: Callable[[], object], share: float) -> Callable[[], None]:
    def lengthened() -> None:
        start_ns = time.perf_counter_ns()
        call()
        end_ns = time.perf_counter_ns()
        end_ns += int((end_ns - start_ns) * share)
        while time.perf_counter_ns() < end_ns:
            pass

    return lengthened


class _Counters:
    """What the kernel counts of this process and this machine; zero where it doesn't say (not Linux)."""

    NAMES = ("wait_s", "steal_s", "switches", "cpu_s")

    def __enter__(self) -> "_Counters":
        self._files = ExitStack()
        self._stat = self._open("/proc/stat")
        tasks = Path("/proc/self/task")
        threads = sorted(tasks.iterdir()) if tasks.exists() else []
        # Files that stay open: a reading then costs a few microseconds. Threads that start later are not seen.
        files = (self._open(f"{thread}/schedstat") for thread in threads)
        self._waited_ns = {file: 0 for file in files if file is not None}
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def read(self) -> tuple[float, float, float, float]:
        """The counters named by NAMES, since some fixed moment."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        for file in self._waited_ns:
            with suppress(ProcessLookupError):  # a thread that has ended waits no more
                self._waited_ns[file] = int(os.pread(file, 64, 0).split()[1])  # "running_ns waiting_ns slices"
        waited_s = sum(self._waited_ns.values()) * 1e-9
        return waited_s, self._steal_s(), float(usage.ru_nivcsw), usage.ru_utime + usage.ru_stime

    def _steal_s(self) -> float:
        if self._stat is None:
            return 0.0
        # "cpu user nice system idle iowait irq softirq steal …", in ticks
        return int(os.pread(self._stat, 256, 0).split(maxsplit=9)[8]) / _TICKS_A_SECOND

    def _open(self, path: str) -> int | None:
        try:
            file = os.open(path, os.O_RDONLY)
        except OSError:
            return None
        self._files.callback(os.close, file)
        return file


# A chain of dependent 64-bit multiplications takes three cycles each on x86-64 since Nehalem and on every Zen
# (Agner Fog, Instruction tables, IMUL r64,r64). On other processors the rate is proportional to the clock all the same.
_CHAIN, _CYCLES, _TRIES = 10_000, 3, 5


def clock_hz() -> float:
    """The clock of the core that runs this, in Hz, by the fastest of a few chains of dependent multiplications.

    Takes 50 microseconds.
    """
    import numpy as np

    ones, products = _chain()
    times_ns = [time.perf_counter_ns()]
    for _ in range(_TRIES):
        np.multiply.accumulate(ones, out=products)
        times_ns.append(time.perf_counter_ns())
    return _CHAIN * _CYCLES / min(end - start for start, end in itertools.pairwise(times_ns)) * 1e9


@functools.cache
def _chain() -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    import numpy as np

    ones = np.ones(_CHAIN, dtype=np.int64)
    return ones, np.empty_like(ones)
