"""Sweeps that are killed, and sweeps whose worker processes are killed."""

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil

from bench.records.record import Record
from bench.records.store import read_records
from tests.faults.command import EACH_ONCE, TINY, fake_line, fake_sweep

_KILLS = 30
_LONG = ("--min-visits", "60", "--budget", "100000")


def killed(folder: Path) -> tuple[int, str]:
    """A sweep killed with SIGKILL at 30 random moments, resumed after each."""
    begun = time.monotonic()
    assert fake_sweep(folder, *_LONG).returncode == 0
    whole_s, moments = time.monotonic() - begun, random.Random(1)
    file, journal = folder / "results" / "fake.jsonl", folder / "results" / "fake.journal"
    file.unlink()
    kills = measuring = 0
    kept: list[str] = []
    while kills < _KILLS:
        if killed_after(moments.uniform(0, whole_s), fake_line(folder, *_LONG, "--resume")):
            kills += 1
            measuring += journal.exists()
        lines = file.read_text().splitlines() if file.exists() else []
        assert lines[: len(kept)] == kept, "a finished network was lost"
        kept = lines
        if len(kept) == len(EACH_ONCE):  # complete: the next kills hit another sweep
            assert Counter(json.loads(line)["model"]["name"] for line in kept) == EACH_ONCE
            file.unlink()
            kept = []
    assert fake_sweep(folder, *_LONG, "--resume").returncode == 0
    records = read_records(file)
    assert Counter(record.model.name for record in records) == EACH_ONCE
    assert all(len(record.measurement.visits) == 60 for record in records if record.measurement)
    rest = "`--resume` completed every sweep: no finished network lost or repeated, no visit counted twice"
    return kills, f"{measuring} of them during a measurement; {rest}"


def killed_after(seconds: float, line: list[str]) -> bool:
    """Whether a program still ran after so long; it is killed then."""
    end_s = time.monotonic() + seconds
    return killed_when(lambda: time.monotonic() >= end_s, line)


def killed_when(reached: Callable[[], bool], line: list[str]) -> bool:
    """Whether a program still ran when something was reached; it is killed then."""
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not reached():
        time.sleep(0.005)
    process.kill()
    return process.wait() == -signal.SIGKILL


def losing_workers(folder: Path) -> tuple[int, str]:
    """The process that holds a network killed, stopped by an abort or crashed while it is measured."""
    signals = (signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV)
    for number, kind in enumerate(signals):
        # The last worker that was opened; the first two run the reference workloads.
        record = _losing(folder, f"results-{number}", -1, kind, "--min-visits", "100000")
        assert record.measurement and len(record.measurement.visits) < 100000
        assert record.reason and (kind.name in record.reason or "killed" in record.reason), record.reason
    return len(signals), "one record with the visits so far and the cause; the sweep continues to its end"


def losing_the_reference(folder: Path) -> tuple[int, str]:
    """A process that runs the reference workloads killed while a network is measured."""
    for worker in (0, 1):
        record = _losing(folder, f"results-{worker}", worker, signal.SIGKILL, "--budget", "4", "--interval", "1e-9")
        assert record.measurement and record.reason is None, record.reason
        assert all(len(part.readings) >= 2 for part in record.measurement.visits)
    return 2, "it is started again and the sweep continues; no network gets a reason"


def _losing(folder: Path, name: str, worker: int, kind: signal.Signals, *options: str) -> Record:
    """The record of a sweep of one network, one of whose workers gets a signal after the first visit."""
    results = folder / name
    paths = ["--results", str(results), "--artifacts", str(folder / "artifacts")]
    line = [sys.executable, "-m", "bench", "cpu", "--model", TINY, *options, *paths]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_for(results / "cpu.journal", '"Visited"', process)
    workers = [child for child in psutil.Process(process.pid).children() if "spawn_main" in str(child.cmdline())]
    workers[worker].send_signal(kind)
    stderr = process.communicate(timeout=120)[1]
    assert "Traceback" not in stderr, stderr
    assert process.returncode == 0, "the number that its visits so far gave is kept"
    (record,) = read_records(results / "cpu.jsonl")
    return record


def wait_for(file: Path, content: str, process: "subprocess.Popen[str]") -> None:
    begun = time.monotonic()
    while not (file.exists() and content in file.read_text()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() - begun < 120, f"{file} never held {content}"
        time.sleep(0.05)
