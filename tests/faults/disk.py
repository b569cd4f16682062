"""Disks that are full, and folders that nothing can be written into."""

import ctypes
import resource
import signal
from collections.abc import Callable
from pathlib import Path

from bench.records.store import read_records
from tests.faults.command import TINY, command, fake_sweep, one_error, render

_CAP_DAC_OVERRIDE, _PR_CAPBSET_DROP = 1, 24


def files_up_to(most_bytes: int) -> Callable[[], None]:
    """A function for a child to call first: its writes then fail beyond `most_bytes` of a file, as on a full disk."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    return limit


def full(folder: Path) -> tuple[int, str]:
    """The disk full while records, artifacts, probed peaks or reports are written."""
    # The limit is one for every file: with two sweeps in this one, what is saved elsewhere, one sweep, stays below it.
    fake_sweep(folder)
    fake_sweep(folder)
    file = folder / "results" / "fake.jsonl"
    before = file.read_bytes()
    for extra_bytes in (0, 100, 2000, 9000, 20000):
        error = one_error(fake_sweep(folder, preexec_fn=files_up_to(len(before) + extra_bytes)))
        rescued = Path(error.split("append ")[1].split(" to it")[0])
        assert rescued.read_bytes().endswith(b"\n")
        rescued.unlink()
        assert file.read_bytes().startswith(before)
        assert all(record.model.name for record in read_records(file))
        (folder / "results" / "fake.journal").unlink(missing_ok=True)
    out = folder / "small"
    one_error(command("exporters", TINY, "--to", "onnx", "--out", out, preexec_fn=files_up_to(10_000)))
    assert not list(out.rglob("*.onnx"))
    one_error(command("devices.host.probe", "--results", out, preexec_fn=files_up_to(10)))
    assert not (out / "peaks.json").exists()
    rendering = ("reports", "render", "--results", folder / "results", "--out", folder / "out")
    assert "can't write" in one_error(command(*rendering, preexec_fn=files_up_to(100)))
    assert not list((folder / "out").iterdir())
    return (
        8,
        "one error each; files on disk stay whole, records that did not fit are saved elsewhere, which the error names",
    )


def unwritable(folder: Path) -> tuple[int, str]:
    """A file in the place of the results, artifacts or reports folder, and read-only folders."""
    fake_sweep(folder)
    file, locked = folder / "file", folder / "locked"
    file.write_text("")
    locked.mkdir(mode=0o555)
    elsewhere = {"--results": folder / "results", "--artifacts": folder / "artifacts"}
    for where in (file, locked):
        for option in elsewhere:
            paths = [word for pair in (elsewhere | {option: where}).items() for word in pair]
            assert str(where) in one_error(command("bench", "fake", *paths, preexec_fn=obey_permissions))
        exporting = ("exporters", TINY, "--to", "fake", "--out", where)
        assert str(where) in one_error(command(*exporting, preexec_fn=obey_permissions))
        rendering = ("reports", "render", "--results", folder / "results", "--out", where)
        assert str(where) in one_error(command(*rendering, preexec_fn=obey_permissions))
    assert render(folder).returncode == 0
    return 8, "one error that names the folder; exit 1"


def obey_permissions() -> None:
    """A function for a child to call first: read-only folders are read-only for it, whoever runs it."""
    # Root ignores permissions; without this capability it obeys them.
    ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0)
