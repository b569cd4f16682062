"""Surroundings that are not as they should be: no home, no temporary folder, few open files, odd paths."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from bench.records.store import read_records
from tests.faults.command import EACH_ONCE, TINY, fake_line, one_error
from tests.faults.disk import obey_permissions

_ROOT = Path(__file__).parents[2]
_ODD = ("with blanks ", 'it\'s "quoted"', "line\nfeed", "-dash", "ünïcödé-空", "*[a]?{b}$HOME`x`", "%s%n", "x" * 200)
Ended = subprocess.CompletedProcess[str]


def _commands(folder: Path, names: Path | None = None) -> list[list[str]]:
    """A sweep of the fake device, one of a real network, and reports, named as `names` where that is given.

    The folders of one row share their exported files.
    """
    at = names or folder
    tiny = ["--model", TINY, "--budget", "1", "--min-visits", "1", "--max-visits", "1"]
    paths = ["--results", str(at / "results"), "--artifacts", str(at.parent / "artifacts")]
    python = [sys.executable, "-m"]
    return [
        fake_line(at),
        [*python, "bench", "cpu", *tiny, *paths],
        [*python, "reports", "render", "--results", str(at / "results"), "--out", str(at / "out")],
    ]


def _run(line: list[str], variables: dict[str, str | None] | None = None, **options: object) -> Ended:
    """Run a command, with environment variables set, or removed where they are None."""
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    for name, value in (variables or {}).items():
        environment.pop(name, None)
        environment |= {name: value} if value is not None else {}
    options = {"capture_output": True, "text": True, "env": environment, "timeout": 300} | options
    return subprocess.run(line, check=False, **options)  # type: ignore[call-overload, no-any-return]


def _all_pass(
    folder: Path, variables: dict[str, str | None] | None = None, *, real: bool = True, **options: object
) -> None:
    """Every command ends well; that of a real network, which takes long, only where `real`."""
    for line in _commands(folder)[:: 1 if real else 2]:
        ended = _run(line, variables, **options)
        assert ended.returncode == 0, (line, ended.stdout[-500:], ended.stderr[-3000:])
    records = read_records(folder / "results" / "fake.jsonl")
    assert Counter(record.model.name for record in records) == EACH_ONCE
    assert all(record.measurement for record in read_records(folder / "results" / "cpu.jsonl"))
    assert (folder / "out" / "table.md").exists()


def home(folder: Path) -> tuple[int, str]:
    """No HOME, one that is not there, and one that nothing can be written into."""
    locked = folder / "locked"
    locked.mkdir(mode=0o555)
    homes = (None, "", str(folder / "none"), str(locked))
    for number, where in enumerate(homes):
        _all_pass(
            folder / str(number), {"HOME": where, "XDG_CACHE_HOME": None}, real=number == 3, preexec_fn=obey_permissions
        )
    return len(homes), "sweeps and reports end well, with nowhere to write one of a network too"


def temporary(folder: Path) -> tuple[int, str]:
    """TMPDIR that is not there, is a file, or that nothing can be written into."""
    file, locked = folder / "file", folder / "locked"
    file.write_text("")
    locked.mkdir(mode=0o555)
    for number, where in enumerate((folder / "none", file, locked)):
        _all_pass(folder / str(number), {"TMPDIR": str(where)}, real=number == 2, preexec_fn=obey_permissions)
    return 3, "Python's own choice takes its place: a sweep, one of a network and its reports end well"


def language(folder: Path) -> tuple[int, str]:
    """The languages C, POSIX, one that is not installed, and an ASCII terminal, with files of other names."""
    cases: tuple[dict[str, str | None], ...] = (
        {"LANG": "C", "LC_ALL": "C"},
        {"LC_ALL": "xx_YY.KOI8-R"},
        {"PYTHONIOENCODING": "ascii"},
    )
    for number, variables in enumerate(cases):
        _all_pass(folder / "ünïcödé-空" / str(number), variables, real=number == 1)
    ascii_only = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    _all_pass(folder / "plain", dict(ascii_only), real=False)
    error = one_error(_run(_commands(folder / "ünïcödé-空" / "3")[0], dict(ascii_only)))
    assert "a name that is no text" in error, error
    rest = "where nothing but ASCII is known, one error for a folder of other signs"
    return len(cases) + 2, f"sweeps and reports end well; {rest}"


def paths(folder: Path) -> tuple[int, str]:
    """Folders whose names have blanks, quotes, line feeds, dashes, globs, signs of other languages, or 200 letters."""
    for name in _ODD:
        (folder / name).mkdir()
        ended = _run(_commands(folder / name)[0])
        assert ended.returncode == 0, ended.stderr[-3000:]
        assert (
            Counter(record.model.name for record in read_records(folder / name / "results" / "fake.jsonl")) == EACH_ONCE
        )
    _all_pass(folder / "a ' \" b\nc" / "*")
    return len(_ODD) + 1, "a sweep ends well in each, one of a network and its reports in the worst of them"


def relative(folder: Path) -> tuple[int, str]:
    """The same names given relative to the working directory."""
    for name in _ODD:
        if not name.startswith("-"):
            line = _commands(folder, Path(name))[0]
            ended = _run(line, cwd=folder)
            assert ended.returncode == 0, (line, ended.stderr[-3000:])
            assert read_records(folder / name / "results" / "fake.jsonl")
    return len(_ODD) - 1, "a sweep ends well in each"


def few_files(folder: Path) -> tuple[int, str]:
    """Few open files (`ulimit -n`): 64 and 24."""
    for most in (64, 24):
        where = folder / str(most)
        for line in _commands(where)[:: 1 if most == 64 else 2]:
            ended = _run(["sh", "-c", f'ulimit -n {most}; exec "$@"', "sh", *line])
            assert ended.returncode == 0 or one_error(ended), (most, line, ended.stderr[-2000:])
            assert most < 64 or ended.returncode == 0, ended.stderr[-2000:]
    return 5, "with 64 a sweep, one of a network and its reports end well"


def private(folder: Path) -> tuple[int, str]:
    """A umask of 077 and of 000."""
    for mask in (0o077, 0o000):
        where = folder / oct(mask)
        _all_pass(where, real=mask != 0, preexec_fn=lambda mask=mask: os.umask(mask))
        loose = [path for path in where.rglob("*") if path.is_file() and path.stat().st_mode & 0o022]
        assert mask == 0 or not loose, loose[:3]
    return 2, "a sweep, one of a network and its reports end well; with 077 no file can be written by others"


def vanished(folder: Path) -> tuple[int, str]:
    """A working directory that is removed before a command starts."""
    for number, line in enumerate(_commands(folder)):
        gone = folder / f"gone-{number}"
        gone.mkdir()
        error = one_error(_run(["sh", "-c", 'cd "$0" && rmdir "$0" && exec "$@"', str(gone), *line]))
        assert "no working directory" in error, error
    return 3, "one error that says so"
