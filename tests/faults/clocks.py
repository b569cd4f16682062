"""A wall clock that is set, and processes that stand still, during a sweep."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import psutil

from bench.records.record import Record
from bench.records.store import read_records
from tests.faults.command import EACH_ONCE, TINY, fake_line, render
from tests.faults.sweeps import wait_for

_LONG = ("--min-visits", "60", "--budget", "100000")
# Imported by every Python that finds it: the wall clock is off by what a file says, the monotonic one is not.
_SET_CLOCK = """
import os, time
_file, _time, _time_ns, _gmtime = os.environ["OFF_BY"], time.time, time.time_ns, time.gmtime
def _off_s():
    try:
        return float(open(_file).read())
    except (OSError, ValueError):
        return 0.0
time.time = lambda: _time() + _off_s()
time.time_ns = lambda: _time_ns() + int(_off_s() * 1e9)
time.gmtime = lambda seconds=None: _gmtime(time.time() if seconds is None else seconds)
"""
_SETTINGS_S = (-3600.0, -10 * 365 * 86400.0, 10 * 365 * 86400.0, -1.7e9)


def set_back(folder: Path) -> tuple[int, str]:
    """The wall clock set back an hour, ten years and to 1972, and on by ten years, in the middle of a sweep."""
    environment = _with_a_clock(folder)
    for number, off_by_s in enumerate(_SETTINGS_S):
        (folder / "off_by").write_text("0")
        where = folder / str(number)
        process = subprocess.Popen(
            fake_line(where, *_LONG), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        wait_for(where / "results" / "fake.journal", '"Visited"', process)
        (folder / "off_by").write_text(str(off_by_s))
        stderr = process.communicate(timeout=200)[1]
        assert process.returncode == 0, stderr
        records = read_records(where / "results" / "fake.jsonl")
        assert Counter(record.model.name for record in records) == EACH_ONCE
        for record in records:
            assert record.measurement
            times = [visit.at_s for visit in record.measurement.visits]
            assert times == sorted(times)
            assert times[0] >= 0
            assert record.conditions.end
        if off_by_s < 0:
            assert any(
                record.conditions.end.time < record.conditions.start.time for record in records if record.conditions.end
            )
        assert render(where).returncode == 0
    return len(
        _SETTINGS_S
    ), "the sweep completes; its visits are in order of the monotonic clock, and its reports are made"


def between(folder: Path) -> tuple[int, str]:
    """The wall clock set back a day between a killed sweep and its `--resume`, and between two sweeps."""
    environment, off_by, file = _with_a_clock(folder), folder / "off_by", folder / "results" / "fake.jsonl"
    process = subprocess.Popen(
        fake_line(folder, *_LONG), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
    )
    wait_for(folder / "results" / "fake.journal", '"Visited"', process)
    process.kill()
    process.wait()
    off_by.write_text("-86400")
    for more in (["--resume"], []):
        ended = subprocess.run(
            fake_line(folder, *_LONG, *more), env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
    records = read_records(file)
    assert Counter(record.model.name for record in records) == EACH_ONCE + EACH_ONCE
    last = [record.sweep for record in records[-len(EACH_ONCE) :]]
    assert len(set(last)) == 1, "the second sweep is the last in the file, whatever its time"
    assert render(folder).returncode == 0
    return 2, "it goes on; records stay in the order that they were written in"


def _with_a_clock(folder: Path) -> Mapping[str, str]:
    """Variables by which every Python has a wall clock that the file `off_by` sets."""
    module = folder / "clock" / "sitecustomize.py"
    module.parent.mkdir()
    module.write_text(_SET_CLOCK)
    environment = os.environ | {
        "OFF_BY": str(folder / "off_by"),
        "PYTHONPATH": f"{module.parent}{os.pathsep}{Path.cwd()}",
    }
    (folder / "off_by").write_text("-86400")
    line = [sys.executable, "-c", "import time; print(time.time())"]
    seen = float(subprocess.run(line, env=environment, capture_output=True, text=True, check=True).stdout)
    assert time.time() - seen > 80_000, "the clock was not set"
    (folder / "off_by").write_text("0")
    return environment


def suspended(folder: Path) -> tuple[int, str]:
    """All processes of a sweep stopped for seconds and continued, as by a suspended machine, in two of many visits."""
    undisturbed, disturbed = _swept(folder, "quiet", 0), _swept(folder, "suspended", 2)
    assert disturbed.measurement and undisturbed.measurement
    slow = [visit for visit in disturbed.measurement.visits if max(visit.samples.seconds) > 0.9]
    said = f"{len(slow)} of them took a sample of a second or more"
    return 2, f"the sweep ends; {said}; {_moved(undisturbed, disturbed)}"


def _moved(undisturbed: Record, disturbed: Record) -> str:
    """How far the number moved, which must be less than the two numbers' own doubt allows."""
    assert disturbed.measurement and undisturbed.measurement
    numbers = [record.measurement.estimate.number_s for record in (undisturbed, disturbed) if record.measurement]
    assert 0.5 < numbers[1] / numbers[0] < 2, numbers
    return "its number stays that of the undisturbed visits"


def stopped_worker(folder: Path) -> tuple[int, str]:
    """The process that holds a network stopped (SIGSTOP): past its limit, and for a shorter time."""
    past = _stopped(folder, "past", limit_s=3, for_s=None)
    assert past.reason and "hung: no answer within 3 s" in past.reason, past.reason
    short = _stopped(folder, "short", limit_s=60, for_s=2)
    assert short.reason is None and short.measurement
    return 2, "past its limit one record with the visits so far and the reason; else it goes on"


def _swept(folder: Path, name: str, times: int) -> Record:
    """The record of a sweep of one network, whose processes stand still so many times for two seconds."""
    process = _begun(folder, name, "--min-visits", "20", "--max-visits", "20", "--visit", "0.1")
    journal = folder / name / "cpu.journal"
    wait_for(journal, '"Visited"', process)
    for _ in range(times):
        time.sleep(0.25)
        os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(2)
        os.killpg(process.pid, signal.SIGCONT)
    return _record_of(process, folder / name)


def _stopped(folder: Path, name: str, *, limit_s: float, for_s: float | None) -> Record:
    process = _begun(folder, name, "--min-visits", "30", "--max-visits", "30", "--timeout", str(limit_s))
    wait_for(folder / name / "cpu.journal", '"Visited"', process)
    workers = [child for child in psutil.Process(process.pid).children() if "spawn_main" in str(child.cmdline())]
    workers[-1].send_signal(signal.SIGSTOP)
    if for_s is not None:
        time.sleep(for_s)
        workers[-1].send_signal(signal.SIGCONT)
    return _record_of(process, folder / name)


def _begun(folder: Path, name: str, *options: str) -> "subprocess.Popen[str]":
    paths = ["--results", str(folder / name), "--artifacts", str(folder / "artifacts")]
    line = [sys.executable, "-m", "bench", "cpu", "--model", TINY, *options, *paths]
    return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)


def _record_of(process: "subprocess.Popen[str]", results: Path) -> Record:
    stderr = process.communicate(timeout=200)[1]
    assert "Traceback" not in stderr, stderr
    (record,) = read_records(results / "cpu.jsonl")
    return record
