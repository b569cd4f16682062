"""Processes that stand still during a sweep, as those of a suspended machine do."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from bench.records.record import Record
from bench.records.store import read_records
from tests.faults.command import TINY
from tests.faults.sweeps import wait_for


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
