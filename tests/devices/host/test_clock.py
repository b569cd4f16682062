import os
import subprocess
import sys
import threading
import time

import pytest

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
