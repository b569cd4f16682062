"""The one stopwatch for everything that runs on this machine: each sample with the evidence of who disturbed it."""

import os
import resource
import time
from collections.abc import Callable

from devices.samples import Samples

NAME = "host: time.perf_counter_ns around each inference"


def time_each(call: Callable[[], object], count: int) -> Samples:
    """Call `call` `count` times; the seconds of each, the readings taken outside them."""
    seconds, switches, steal_s, cpu_s = [], [], [], []
    with _Steal() as steal:
        before, stolen = resource.getrusage(resource.RUSAGE_SELF), steal.read_s()
        for _ in range(count):
            start_ns = time.perf_counter_ns()
            call()
            end_ns = time.perf_counter_ns()
            after, stolen_after = resource.getrusage(resource.RUSAGE_SELF), steal.read_s()
            seconds.append((end_ns - start_ns) * 1e-9)
            switches.append(float(after.ru_nivcsw - before.ru_nivcsw))
            steal_s.append(stolen_after - stolen)
            cpu_s.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
            before, stolen = after, stolen_after
    return Samples(seconds=seconds, evidence={"switches": switches, "steal_s": steal_s, "cpu_s": cpu_s})


class _Steal:
    """Seconds that the hypervisor gave to other guests, all cores summed; always zero where Linux doesn't say."""

    def __enter__(self) -> "_Steal":
        try:
            self._file = os.open("/proc/stat", os.O_RDONLY)
        except OSError:
            self._file = -1
        return self

    def __exit__(self, *_: object) -> None:
        if self._file >= 0:
            os.close(self._file)

    def read_s(self) -> float:
        if self._file < 0:
            return 0.0
        # "cpu user nice system idle iowait irq softirq steal …", in ticks
        return int(os.pread(self._file, 256, 0).split(maxsplit=9)[8]) / _TICKS_A_SECOND


_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
