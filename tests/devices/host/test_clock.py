import os
import subprocess
import sys
import threading
import time

import pytest

from devices.host import clock
from devices.host.clock import time_each


def spin(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_each_call_has_its_seconds_and_its_evidence():
    calls = []
    samples = time_each(lambda: calls.append(spin(0.01)), 5)
    assert len(calls) == len(samples.seconds) == 5
    assert all(second >= 0.01 for second in samples.seconds)
    assert set(samples.evidence) == {"wait_s", "steal_s", "switches", "cpu_s"}
    assert all(len(values) == 5 and min(values) >= 0 for values in samples.evidence.values())


@pytest.fixture
def time_passes(monkeypatch):
    """A function that lets the stopwatch, and nothing else, see some seconds pass."""
    now_ns = [0]
    monkeypatch.setattr(time, "perf_counter_ns", lambda: now_ns[0])

    def passing(seconds):
        now_ns[0] += round(seconds * 1e9)

    return passing


def test_short_calls_share_what_was_counted_by_their_time(monkeypatch, time_passes):
    readings = iter([(0.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0), (1.5, 0.0, 0.0, 0.0)])
    monkeypatch.setattr(clock._Counters, "read", lambda self: next(readings))
    each_s = iter([0.004, 0.008, 2 * clock._READ_EVERY_S, 0.001, 0.003])
    samples = time_each(lambda: time_passes(next(each_s)), 5)
    whole_s = 0.012 + 2 * clock._READ_EVERY_S
    assert samples.evidence["wait_s"] == pytest.approx(
        [0.004 / whole_s, 0.008 / whole_s, 1 - 0.012 / whole_s, 0.125, 0.375]
    )


def test_a_long_call_has_readings_of_its_own(monkeypatch, time_passes):
    reads = []
    monkeypatch.setattr(clock._Counters, "read", lambda self: reads.append(1) or (float(len(reads)), 0.0, 0.0, 0.0))
    samples = time_each(lambda: time_passes(1.2 * clock._READ_EVERY_S), 3)
    assert samples.evidence["wait_s"] == pytest.approx([1.0] * 3)


def test_calls_of_no_time_share_alike(time_passes):
    assert len(time_each(lambda: None, 3).evidence["cpu_s"]) == 3


def test_cpu_time_tells_working_from_sleeping():
    (worked,) = time_each(lambda: spin(0.1), 1).evidence["cpu_s"]
    (slept,) = time_each(lambda: time.sleep(0.1), 1).evidence["cpu_s"]
    assert slept < 0.02 < worked


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what a thread waits")
def test_a_neighbour_on_the_same_core_is_seen_as_waiting():
    core = min(os.sched_getaffinity(0))
    neighbour = subprocess.Popen(
        [sys.executable, "-c", f"import os; os.sched_setaffinity(0, {{{core}}})\nwhile 1: pass"]
    )
    waited = []

    def measure():
        os.sched_setaffinity(threading.get_native_id(), {core})
        waited.extend(time_each(lambda: spin(0.2), 3).evidence["wait_s"])

    try:
        thread = threading.Thread(target=measure)
        thread.start()
        thread.join()
    finally:
        neighbour.kill()
        neighbour.wait()
    assert sum(waited) > 0.1


def test_a_thread_that_ends_meanwhile_is_no_error():
    threads = [threading.Thread(target=time.sleep, args=(0.05,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    samples = time_each(lambda: time.sleep(0.03), 5)
    assert min(samples.evidence["wait_s"]) >= 0
    assert not any(thread.is_alive() for thread in threads)
