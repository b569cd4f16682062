"""Cores that wake each other: for how long, on which cores, and nothing left behind."""

import os
import time

import pytest

from devices.host.cores import Cores


@pytest.fixture
def cores():
    cores = Cores()
    yield cores
    cores.close()


def test_gathering_takes_its_time_and_gives_the_thread_all_its_cores_back(cores):
    before, begun_s = os.sched_getaffinity(0), time.monotonic()
    cores.gather(0.05)
    assert time.monotonic() - begun_s >= 0.05
    assert os.sched_getaffinity(0) == before


def test_each_other_core_is_woken(cores, monkeypatch):
    used = []
    real = os.sched_setaffinity
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, mask: (used.append((pid, list(mask))), real(pid, mask)))
    everyone = sorted(os.sched_getaffinity(0))
    cores.gather(0.01)
    echo = cores._echo.pid if len(everyone) > 1 else None
    assert used[1:-1] == [(echo, [core]) for core in everyone[1:]]


def test_one_core_alone_only_waits(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    cores = Cores()
    begun_s = time.monotonic()
    cores.gather(0.02)
    assert time.monotonic() - begun_s >= 0.02
    assert cores._echo is None


def test_the_echo_ends(cores):
    cores.gather(0.01)
    echo = cores._echo
    cores.close()
    cores.close()
    assert echo is None or echo.poll() is not None
