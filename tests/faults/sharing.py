"""Processes that use one folder at once."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from bench.records.store import read_records
from tests.faults.command import EACH_ONCE, TINY, fake_line

_TURNS = 5


def results(folder: Path) -> tuple[int, str]:
    """Two sweeps at once on one results folder."""
    for _ in range(_TURNS):
        line = fake_line(folder, "--min-visits", "60", "--budget", "100000")
        both = [subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        ended = [(process.communicate()[1], process.returncode) for process in both]
        for stderr, code in ended:
            assert code == 0 or (code == 1 and "another process writes" in stderr and stderr.count("\n") == 1), stderr
        assert any(code == 0 for _, code in ended)
    for sweep, count in Counter(record.sweep for record in read_records(folder / "results" / "fake.jsonl")).items():
        assert count == len(EACH_ONCE), sweep
    return _TURNS, "one measures, the other ends with one error; every sweep on disk is complete"


def cache(folder: Path) -> tuple[int, str]:
    """Four processes exporting the same network into one cache."""
    line = [sys.executable, "-m", "exporters", TINY, "--to", "onnx", "--out", str(folder), "--json"]
    processes = [subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(4)]
    found = [json.loads(process.communicate()[0])[0]["sha256"] for process in processes]
    assert len(found) == 4
    assert len(set(found)) == 1
    assert len(list(folder.rglob("*.onnx"))) == 1
    return 4, "one exported it, the others waited and used its file"
