"""A wall clock that is set during a sweep, or between two."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

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
        where = folder / str(number)
        _disturbed(where / "results" / "fake.journal", fake_line(where, *_LONG), off_by_s, environment)
        records = read_records(where / "results" / "fake.jsonl")
        assert Counter(record.model.name for record in records) == EACH_ONCE
        _ordered(records, back=off_by_s < 0)
        assert render(where).returncode == 0
    return len(_SETTINGS_S), "every network has its record, and the reports are made"


def set_back_on_the_host(folder: Path) -> tuple[int, str]:
    """The same while this machine's processor is measured, whose seconds must not come from that clock."""
    environment, numbers_s = _with_a_clock(folder), []
    for off_by_s in (0.0, -3600.0, 3600.0):
        where = folder / str(off_by_s)
        paths = ["--results", str(where), "--artifacts", str(folder / "artifacts")]
        line = [sys.executable, "-m", "bench", "cpu", "--model", TINY, "--max-visits", "20", *paths]
        _disturbed(where / "cpu.journal", line, off_by_s, environment)
        records = read_records(where / "cpu.jsonl")
        _ordered(records, back=off_by_s < 0)
        (measured,) = (record.measurement for record in records)
        assert measured
        assert all(0 < second < 60 for second in measured.seconds)
        assert measured.visits[-1].at_s < 1800
        numbers_s.append(measured.estimate.number_s)
    assert max(numbers_s) < 2 * min(numbers_s), numbers_s
    return 2, "every sample and visit is timed by the monotonic clock; no number is off"


def _disturbed(journal: Path, line: list[str], off_by_s: float, environment: Mapping[str, str]) -> None:
    """Run a sweep whose wall clock is set once its first visit has ended."""
    off_by = Path(environment["OFF_BY"])
    off_by.write_text("0")
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
    wait_for(journal, '"Visited"', process)
    off_by.write_text(str(off_by_s))
    stderr = process.communicate(timeout=300)[1]
    assert process.returncode == 0, stderr


def _ordered(records: list[Record], *, back: bool) -> None:
    """The visits are in order, whatever the records' times say, which show that the clock was set."""
    for record in records:
        assert record.measurement
        assert record.conditions.end
        times_s = [visit.at_s for visit in record.measurement.visits]
        assert times_s == sorted(times_s)
        assert times_s[0] >= 0
        assert not back or record.conditions.end.time < record.conditions.start.time


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
