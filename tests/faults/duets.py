"""Duets (`bench --against`) that are killed, find no room on the disk, or find the journal of a killed one damaged."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from bench.duet.record import Duet, read_duets
from tests.faults.command import command, one_error
from tests.faults.damage import damaged
from tests.faults.disk import files_up_to
from tests.faults.sweeps import killed_after

_KILLS = 12
_AGAINST = 'option:seconds={"*"=0.06}'
_NETWORKS = ("EfficientNet-B3", "EfficientNet-B5")


def killed(folder: Path) -> tuple[int, str]:
    """A duet killed with SIGKILL at 12 random moments, another one asked for after each."""
    begun = time.monotonic()
    assert command(*_line(folder / "whole")[2:]).returncode == 0
    whole_s, moments = time.monotonic() - begun, random.Random(31)
    file, journal = folder / "duets" / "fake.jsonl", folder / "duets" / "fake.journal"
    file.parent.mkdir()
    taken = kills = 0
    while kills < _KILLS:
        kills += killed_after(moments.uniform(whole_s / 3, whole_s), _line(folder))
        taken += _turns_of(journal)
    before = _turns_of(journal)
    assert command(*_line(folder)[2:]).returncode == 0
    _once_each(file)
    assert sum(len(duet.turns) for duet in read_duets(file)) >= before
    assert not journal.exists()
    return kills, f"{taken} turns were in their journals; the next duet made records of them, none lost, none twice"


def ending(folder: Path) -> tuple[int, str]:
    """A duet killed while it writes its records: after each of them, and before its journal is removed."""
    file, journal = folder / "duets" / "fake.jsonl", folder / "duets" / "fake.journal"
    script = (
        "import os, signal, sys; from bench.duet import ledger\n"
        "write, left = ledger.append_line, [int(sys.argv.pop(1))]\n"
        "def append(path, entry):\n"
        "    write(path, entry)\n"
        "    left[0] -= path.suffix == '.jsonl'\n"
        "    if not left[0]: os.kill(os.getpid(), signal.SIGKILL)\n"
        "ledger.append_line = append\n"
        "import runpy; sys.argv[0] = 'bench'; runpy.run_module('bench', run_name='__main__')"
    )
    for number in (1, 2):
        line = [sys.executable, "-c", script, str(number), *_line(folder)[3:]]
        assert subprocess.run(line, capture_output=True, check=False).returncode == -signal.SIGKILL
        assert journal.exists()
        assert command(*_line(folder)[2:]).returncode == 0
        assert not journal.exists()
    _once_each(file)
    assert len({duet.duet for duet in read_duets(file)}) == 4
    return 2, "the next duet writes the records that were missing; none is there twice"


def full_disk(folder: Path) -> tuple[int, str]:
    """The disk full while a duet writes its journal or its records."""
    limits, file = (5000, 7000, 9000, 12_000), folder / "duets" / "fake.jsonl"
    for most_bytes in limits:
        error = one_error(command(*_line(folder)[2:], preexec_fn=files_up_to(most_bytes)))
        assert "can't write" in error, error
        Path(error.split("append ")[1].split(" to it")[0]).unlink()
    assert command(*_line(folder)[2:]).returncode == 0
    _once_each(file)
    return len(limits), "one error each, which names a copy of what did not fit; with room again a duet is measured"


def journals(folder: Path) -> tuple[int, str]:
    """The journal of a killed duet, damaged anywhere or in its first line."""
    file, journal = folder / "duets" / "fake.jsonl", folder / "duets" / "fake.journal"
    whole = _whole_journal(folder)
    first, *rest = whole.splitlines(keepends=True)
    beheaded = [broken.rstrip(b"\n") + b"\n" + b"".join(rest) for broken in damaged(first, 32, 6)]
    versions, aside = [*damaged(whole, 33, 10), *beheaded], 0
    for broken in versions:
        file.unlink(missing_ok=True)
        journal.write_bytes(broken)
        ended = command(*_line(folder)[2:])
        assert ended.returncode == 0, ended.stderr
        assert "Traceback" not in ended.stderr
        _once_each(file)
        aside = len(list(file.parent.glob("fake.journal-*")))
    assert aside
    return len(
        versions
    ), f"what can be read becomes records; {aside}, whose duet could not be read, were renamed and kept"


def _whole_journal(folder: Path) -> bytes:
    script = (
        "from bench.duet import ledger; ledger.DuetLedger.end = lambda self: []\n"
        "import runpy, sys; sys.argv[0] = 'bench'; runpy.run_module('bench', run_name='__main__')"
    )
    subprocess.run([sys.executable, "-c", script, *_line(folder)[3:]], capture_output=True, check=False)
    return (folder / "duets" / "fake.journal").read_bytes()


def _line(folder: Path) -> list[str]:
    models = [word for name in _NETWORKS for word in ("--model", name)]
    paths = ["--results", str(folder), "--artifacts", str(folder / "artifacts")]
    return [sys.executable, "-m", "bench", "fake", *models, "--against", _AGAINST, *paths]


def _turns_of(journal: Path) -> int:
    return journal.read_bytes().count(b'"TurnTaken"') if journal.exists() else 0


def _once_each(file: Path) -> None:
    """No network of a duet has two records."""
    duets: list[Duet] = read_duets(file)
    assert duets
    twice = [cell for cell, count in Counter((duet.duet, duet.model.name) for duet in duets).items() if count > 1]
    assert not twice, twice
