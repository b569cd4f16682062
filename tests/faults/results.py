"""Damaged files of a results folder: records, journals, the kept condition, probed peaks, profiles."""

import io
import os
from contextlib import redirect_stderr, suppress
from pathlib import Path
from unittest.mock import patch

from bench.protocol import Protocol
from bench.records.conditions import Conditions
from bench.records.epoch import FILE, Epoch, Frozen, freeze, frozen
from bench.records.history import Said
from bench.records.journal import Journal, Started
from bench.records.known_machines import FOLDER_VARIABLE, condition_known, leave, sweeps_known
from bench.records.store import read_records
from bench.sweep import SweepRequest, sweep
from bench.trust.exponents import Information
from bench.trust.run_to_run import Told
from devices.peaks import PROBED, read_probed
from devices.targets import find_targets
from models import UserError, find
from models.groups import DEFAULT
from tests.faults.command import EACH_ONCE, TINY, command, fake_sweep, one_error, render
from tests.faults.damage import damaged

_EPOCH = Epoch(name="0123456789ab", facts={"cpu": "One", "threads": "2"})
_CONDITION = Frozen.now(_EPOCH, {"compute": 0.008, "core_to_core": 0.006}, "first")
_PEAKS = Path(__file__).parents[2] / "docs" / "example" / "peaks.json"


def records(folder: Path) -> tuple[int, str]:
    """Records (`results/TARGET.jsonl`), damaged."""
    fake_sweep(folder)
    path = folder / "results" / "fake.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    victim, rest, cases = lines[5], [*lines[:5], *lines[6:]], 0
    for broken in damaged(victim, 5, 60):
        path.write_bytes(b"".join([*lines[:5], broken.rstrip(b"\n") + b"\n", *lines[6:]]))
        # A flipped bit may make it a record of a newer suite. The warnings are for users.
        with suppress(UserError), redirect_stderr(io.StringIO()):
            kept = {record.model.name for record in read_records(path)}
            assert len(kept & set(EACH_ONCE)) >= len(rest)
        cases += 1
    for broken in damaged(b"".join(lines), 6, 6):
        path.write_bytes(broken)
        for ended in (
            render(folder),
            command("reports", "compare", path, path),
            fake_sweep(folder, "--resume"),
            fake_sweep(folder),
        ):
            assert ended.returncode == 0 or one_error(ended), ended.stderr
            assert "Traceback" not in ended.stderr, ended.stderr
            cases += 1
    return cases, "lines that can't be read are passed over with a warning, the others are used; never a traceback"


def journals(folder: Path) -> tuple[int, str]:
    """The journal of an interrupted sweep, damaged anywhere or in its first line, then resumed."""
    results, whole, cases = folder / "results", _whole_journal(folder), 0
    first, *rest = whole.splitlines(keepends=True)
    beheaded = (broken.rstrip(b"\n") + b"\n" + b"".join(rest) for broken in damaged(first, 8, 12))
    for broken in (*damaged(whole, 7, 16), *beheaded):
        (results / "fake.journal").write_bytes(broken)
        (results / "fake.jsonl").unlink(missing_ok=True)
        ended = fake_sweep(folder, "--resume")
        assert ended.returncode == 0 or "--resume would mix" in one_error(ended), ended.stderr
        if ended.returncode == 0:
            assert {record.model.name for record in read_records(results / "fake.jsonl")} >= set(EACH_ONCE)
            assert not (results / "fake.journal").exists()
        cases += 1
    aside = [path.read_bytes() for path in results.glob("fake.journal-*")]
    assert aside
    outcome = "what can't be read is measured again, or one error says that the sweep can't be resumed"
    return cases, f"{outcome}; {len(aside)}, whose sweep could not be read, were renamed and kept"


def _whole_journal(folder: Path) -> bytes:
    """The journal of a sweep that was measured to its end and killed before it removed the journal."""
    order = SweepRequest(
        target=find_targets("fake")[0],
        models=find(DEFAULT),
        protocol=Protocol(),
        results=folder / "results",
        artifacts=folder / "artifacts",
    )
    with patch.object(Journal, "end"):
        sweep(order)
    return (folder / "results" / "fake.journal").read_bytes()


def epochs(folder: Path) -> tuple[int, str]:
    """The condition that numbers refer to (`results/epochs.json`), damaged."""
    path, refused = folder / FILE, 0
    freeze(folder, _EPOCH, _CONDITION)
    versions = list(damaged(path.read_bytes(), 15, 60))
    for broken in versions:
        path.write_bytes(broken)
        try:
            with redirect_stderr(io.StringIO()):
                found = frozen(folder, _EPOCH)
            assert found is None or min(found.reference_s.values(), default=1.0) > 0
        except UserError as error:
            assert str(path) in str(error)
            refused += 1
    return len(versions), f"{refused} refused with one error that names the file, the others still JSON of its kind"


def known_machines(folder: Path) -> tuple[int, str]:
    """What sweeps into other folders left of this machine (the user's cache), damaged."""
    (target,) = find_targets("fake")
    told = Told(log=-3.0, log_error=0.01)
    information = Information(precision=((200.0, 2.0), (2.0, 7.0)), weighted=(232.0, 6.0))
    said = {"EfficientNet-B3": Said(sha256="a" * 64, told=told, information=information)}
    for named in ("one", "two"):
        started = Started(sweep=named, target=target, protocol=Protocol(), conditions=Conditions(), epoch=_EPOCH)
        leave(started, _CONDITION, said)
    cases = notes = 0
    for path in Path(os.environ[FOLDER_VARIABLE]).glob("**/*.json"):
        whole = path.read_bytes()
        for broken in damaged(whole, 16, 60):
            path.write_bytes(broken)
            printed = io.StringIO()
            with redirect_stderr(printed):
                found = condition_known(_EPOCH)
                sweeps_known(started, (found or _CONDITION).reference_s)
            assert all(line.startswith("note: ") for line in printed.getvalue().splitlines())
            cases, notes = cases + 1, notes + ("can't read" in printed.getvalue())
        path.write_bytes(whole)
    return cases, f"{notes} passed over with a line that names the file, the others still JSON of its kind"


def peaks(folder: Path) -> tuple[int, str]:
    """The rates of a probe (`results/peaks.json`), damaged."""
    path, refused = folder / PROBED, 0
    versions = list(damaged(_PEAKS.read_bytes(), 9, 60))
    for broken in versions:
        path.write_bytes(broken)
        try:
            read_probed(folder)
        except UserError as error:
            assert str(path) in str(error)
            refused += 1
    assert refused
    return len(versions), f"{refused} refused with one error that names the file, the others still valid"


def profiles(folder: Path) -> tuple[int, str]:
    """Profiles (`results/profiles/*.json`), damaged."""
    fake_sweep(folder)
    paths = ["--results", folder / "results", "--artifacts", folder / "artifacts"]
    ended = command("bench", "cpu", "--profile", TINY, *paths)
    assert ended.returncode == 0, ended.stderr
    (path,) = (folder / "results" / "profiles").glob("*.json")
    versions, refused = list(damaged(path.read_bytes(), 10, 8)), 0
    for broken in versions:
        path.write_bytes(broken)
        ended = render(folder)
        if ended.returncode:
            assert str(path) in one_error(ended)
            refused += 1
    return len(versions), f"{refused} refused with one error that names the file, the others still valid"
