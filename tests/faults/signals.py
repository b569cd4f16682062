"""Signals, and streams that are closed, during a sweep of the fake device."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bench.records.store import read_records
from tests.faults.command import EACH_ONCE, fake_line, fake_sweep

_VISITS = 100  # of each of the twelve networks
_LONG = ("--min-visits", f"{_VISITS}", "--budget", "100000")
_MOMENTS = (1, 150, 300)  # visits of a process before it is stopped: together far from all, however fast they are made


def terminated(folder: Path) -> tuple[int, str]:
    """A sweep ended by SIGTERM (a scheduler, a container that stops), resumed after each."""
    return _stopped(folder, lambda process: process.terminate(), -signal.SIGTERM)


def hung_up(folder: Path) -> tuple[int, str]:
    """A sweep whose terminal is closed (SIGHUP), resumed after each."""
    return _stopped(folder, lambda process: process.send_signal(signal.SIGHUP), -signal.SIGHUP)


def interrupted(folder: Path) -> tuple[int, str]:
    """A sweep interrupted by Ctrl-C, once and twice in short order, to the whole process group; resumed after each."""

    def twice(process: "subprocess.Popen[str]") -> None:
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)

    once, outcome = _stopped(folder / "1", lambda process: os.killpg(process.pid, signal.SIGINT), 130)
    again, _ = _stopped(folder / "2", twice, 130)
    return once + again, outcome


def _stopped(folder: Path, stop: Callable[["subprocess.Popen[str]"], None], code: int) -> tuple[int, str]:
    journal, lines = folder / "results" / "fake.journal", 0
    for moment in _MOMENTS:
        process = _begun(folder, "--resume")
        _until_visited(journal, process, moment)
        stop(process)
        stderr = process.communicate(timeout=60)[1]
        # A shell says 130 of both: Python may end itself by the signal once it has cleaned up.
        assert process.returncode in {code, -signal.SIGINT if code == 130 else code}, (process.returncode, stderr)
        assert code != 130 or "with --resume goes on" in stderr, stderr
        assert "Traceback" not in stderr, stderr
        assert journal.read_bytes().count(b"\n") >= lines, "visits were lost"
        lines = journal.read_bytes().count(b"\n")
    assert fake_sweep(folder, *_LONG, "--resume").returncode == 0
    records = read_records(folder / "results" / "fake.jsonl")
    assert Counter(record.model.name for record in records) == EACH_ONCE
    assert all(len(record.measurement.visits) == _VISITS for record in records if record.measurement)
    return len(_MOMENTS), "no traceback; `--resume` went on, no visit lost or counted twice"


def closed_reader(folder: Path) -> tuple[int, str]:
    """Standard output or error closed by their reader (as by `head`) while a sweep writes to them."""
    for name, stream in (("out", "stdout"), ("err", "stderr")):
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: subprocess.PIPE}
        process = subprocess.Popen(fake_line(folder / name), **pipes)  # type: ignore[call-overload]
        getattr(process, stream).close()
        assert process.wait(timeout=120) == 0
        _whole(folder / name)
    return 2, "exit 0, and a record of every network"


def closed_streams(folder: Path) -> tuple[int, str]:
    """A sweep that is started without standard input, output or error, or without any of them."""
    for closed in ((0,), (1,), (2,), (0, 1, 2)):
        where = folder / "".join(map(str, closed))
        descriptors = " ".join(f"{number}{'<' if number == 0 else '>'}&-" for number in closed)
        line = ["sh", "-c", f'exec "$@" {descriptors}', "sh", *fake_line(where)]
        assert subprocess.run(line, capture_output=True, check=False, timeout=120).returncode == 0, closed
        _whole(where)
    return 4, "exit 0, and a record of every network; nothing is written into a file that took their place"


def _whole(folder: Path) -> None:
    records = read_records(folder / "results" / "fake.jsonl")
    assert Counter(record.model.name for record in records) == EACH_ONCE
    for path in folder.rglob("*"):
        assert path.is_dir() or b"s went into inferences" not in path.read_bytes(), path


def _begun(folder: Path, *options: str) -> "subprocess.Popen[str]":
    line = fake_line(folder, *_LONG, *options)
    return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)


def _until_visited(journal: Path, process: "subprocess.Popen[str]", visits: int) -> None:
    end_s = time.monotonic() + 120
    before = _visited(journal)
    while _visited(journal) < before + visits:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end_s, "no visit came"
        time.sleep(0.02)


def _visited(journal: Path) -> int:
    return journal.read_bytes().count(b'"Visited"') if journal.exists() else 0
