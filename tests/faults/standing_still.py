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

# Of an inference that takes most of a visit, so that a stop hits one.
_SLOW = "zennet:SuperConvK3BNRELU(3,64,1,1)SuperResK3K3(64,64,1,64,4)@96"
_TIMES, _STOPPED_S = 4, 1.5


def suspended(folder: Path) -> tuple[int, str]:
    """All processes of a sweep stopped for a second and a half and continued, as by a suspended machine, four times."""
    undisturbed, disturbed = (_swept(folder, str(times), times).measurement for times in (0, _TIMES))
    assert undisturbed
    assert disturbed
    hit = [visit for visit in disturbed.visits if max(visit.samples.seconds) > _STOPPED_S / 2]
    assert hit, "every stop missed the samples"
    moved = disturbed.estimate.number_s / undisturbed.estimate.number_s
    assert 0.6 < moved < 1.6, (moved, disturbed.estimate, undisturbed.estimate)
    seen = f"{len(hit)} of {len(disturbed.visits)} visits had a sample of more than 20 times the others"
    return _TIMES, f"the sweep ends; {seen}, and the number stayed near that of an undisturbed sweep"


def stopped_worker(folder: Path) -> tuple[int, str]:
    """The process that holds a network stopped (SIGSTOP): past its limit, and for a shorter time."""
    past = _stopped(folder, "past", limit_s=3, for_s=None)
    assert past.reason and "hung: no answer within 3 s" in past.reason, past.reason
    short = _stopped(folder, "short", limit_s=60, for_s=2)
    assert short.reason is None and short.measurement
    return 2, "past its limit one record with the visits so far and the reason; else it goes on"


def _swept(folder: Path, name: str, times: int) -> Record:
    """The record of a sweep of one network, whose processes stand still so many times."""
    visits = ["--min-visits", "30", "--max-visits", "30", "--visit", "0.1"]
    process = _begun(folder, name, *visits, network=_SLOW)
    journal = folder / name / "cpu.journal"
    wait_for(journal, '"Visited"', process)
    for _ in range(times):
        time.sleep(0.43)
        os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(_STOPPED_S)
        os.killpg(process.pid, signal.SIGCONT)
    return _record_of(process, folder / name)


def _stopped(folder: Path, name: str, *, limit_s: float, for_s: float | None) -> Record:
    process = _begun(folder, name, "--min-visits", "12", "--max-visits", "12", "--timeout", str(limit_s))
    wait_for(folder / name / "cpu.journal", '"Visited"', process)
    workers = [child for child in psutil.Process(process.pid).children() if "spawn_main" in str(child.cmdline())]
    workers[-1].send_signal(signal.SIGSTOP)
    if for_s is not None:
        time.sleep(for_s)
        workers[-1].send_signal(signal.SIGCONT)
    return _record_of(process, folder / name)


def _begun(folder: Path, name: str, *options: str, network: str = TINY) -> "subprocess.Popen[str]":
    paths = ["--results", str(folder / name), "--artifacts", str(folder / "artifacts")]
    line = [sys.executable, "-m", "bench", "cpu", "--model", network, *options, *paths]
    return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)


def _record_of(process: "subprocess.Popen[str]", results: Path) -> Record:
    stderr = process.communicate(timeout=200)[1]
    assert "Traceback" not in stderr, stderr
    (record,) = read_records(results / "cpu.jsonl")
    return record
