"""What a results folder holds: records, journals, conditions, rates, profiles, duets, accuracies, predictions."""

import contextlib
import functools
import io
import os
from types import SimpleNamespace
from unittest.mock import patch

import msgspec

from bench.accuracy.predictions import Predictions
from bench.accuracy.store import read_accuracies
from bench.duet.ledger import DuetLedger
from bench.duet.record import read_duets
from bench.duet.settings import DuetSettings
from bench.protocol import Protocol
from bench.records.conditions import Conditions
from bench.records.epoch import Epoch, Frozen, freeze, frozen
from bench.records.header import newest_records
from bench.records.history import History, history
from bench.records.journal import Started
from bench.records.known_machines import FOLDER_VARIABLE, leave, sweeps_known
from bench.records.ledger import Ledger
from bench.records.record import Record
from bench.records.store import read_records
from bench.trust.fit import fit
from bench.trust.run_to_run import Told, run_to_run
from devices.host.conditions import Machine, Moment
from devices.peaks import PROBED, read_probed
from devices.targets import find_targets
from exporters.artifact_files import read_artifact
from reports.compare.command import _print, _warn
from reports.compare.compare import compare
from reports.compare.gate import gate
from reports.measured import measured_of
from reports.recorded import why_missing
from system.download_part import Part
from system.unreadable import UNREADABLE
from tests.bench.made_up import a_reading, a_visit
from tests.fuzz.parser import a_file, a_folder, refused

_MACHINE = Machine(cpu="One", usable_cores=2, kernel="6.1")
_EPOCH = Epoch(name="0123456789ab", facts={"cpu": "One", "threads": "2"})
_REFERENCE_S = {"compute": 0.008}
_VISITS = [
    a_visit(0.1, 0.11, 0.1 + at / 100, at_s=float(at), readings=[a_reading(at + 0.5, 0.008 + at / 4000, 0.006)])
    for at in range(9)
]


def records(content: bytes) -> None:
    """Records of sweeps, as reports and commands read them, and their estimates."""
    with a_file("fake.jsonl", content) as path:
        for record in (*read_records(path), *newest_records(path.parent)):
            if record.measurement is not None and why_missing(record) is None:
                measured_of(record, record.measurement)


def compared(content: bytes) -> None:
    """Records of two runs, compared and printed."""
    with a_file("fake.jsonl", content) as path:
        found = read_records(path)
    half = found[: (len(found) + 1) // 2]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        comparisons = compare(half, found)
        _print(comparisons)
        _warn(half, found)
        gate(half, found, comparisons, 5.0)
    assert printed.getvalue().replace("\n", "").isprintable(), printed.getvalue()


def earlier_sweeps(content: bytes) -> None:
    """Records of earlier sweeps, and what later ones learn of them."""
    with a_file("fake.jsonl", content) as path:
        for record in _decoded(content)[:2]:
            measured = record.measurement
            if measured is None or measured.basis is None:
                continue
            sha256 = record.artifact.sha256 if record.artifact else ""
            sweeps = history(path, record.target, measured.basis.epoch, but="", sustained=record.protocol.sustained)
            earlier = sweeps.of({record.model.name: sha256}, epoch="", reference_s={})
            fit({record.model.name: _VISITS}, 0.02, earlier)


def _decoded(content: bytes) -> list[Record]:
    """The lines that are records."""
    found = []
    for line in content.splitlines():
        try:
            found.append(msgspec.json.decode(line, type=Record))
        except UNREADABLE:
            continue
    return found


def journals(content: bytes) -> None:
    """A sweep that was interrupted, become records, and gone on with."""
    host = SimpleNamespace(machine=_MACHINE, workloads={}, moment=Moment)
    (target,) = find_targets("fake")
    for way in (Ledger.begin, Ledger.resume):
        with a_file("fake.journal", content) as path:
            refused(functools.partial(way, Ledger(path.parent, "fake", host), target, Protocol()))
            read_records(path.with_suffix(".jsonl"))


def epochs(content: bytes) -> None:
    """The kept condition of a machine."""
    with a_file("epochs.json", content) as path:
        found = frozen(path.parent, _EPOCH)
        assert found is None or min(found.reference_s.values(), default=1.0) > 0
        freeze(path.parent, _EPOCH, Frozen.now(_EPOCH, {"compute": 0.008}, "first"))
        assert frozen(path.parent, _EPOCH) is not None


def known_machines(content: bytes) -> None:
    """What sweeps of other folders left of a machine, and what one learns of it."""
    (target,) = find_targets("fake")
    started = Started(sweep="this", target=target, protocol=Protocol(), conditions=Conditions(), epoch=_EPOCH)
    with a_folder() as folder, patch.dict(os.environ, {FOLDER_VARIABLE: str(folder)}):
        leave(started, Frozen.now(_EPOCH, _REFERENCE_S, "first"), {})
        (file,) = folder.glob("*/*.json")
        file.write_bytes(content)
        sweeps = sweeps_known(started, _REFERENCE_S)
    for name, file in {(name, said.sha256) for sweep in sweeps.values() for name, said in sweep.items()}:
        earlier = History().beside(sweeps).of({name: file}, epoch="", reference_s={})
        bases = fit({name: _VISITS}, 0.02, earlier)
        assert bases[name].impossible() is None
        run_to_run(earlier.told, {name: Told.of(0.1, 0.01)})


def peaks(content: bytes) -> None:
    """The rates that a probe measured."""
    with a_file(PROBED, content) as path:
        read_probed(path.parent)


def duets(content: bytes) -> None:
    """Records of duets, and what they come to."""
    with a_file("fake.jsonl", content) as path:
        for duet in read_duets(path):
            duet.log_ratios()
            duet.median_s("old"), duet.median_s("new")


def duet_journals(content: bytes) -> None:
    """A duet that was killed, become records."""
    with a_file("fake.journal", content) as path:
        DuetLedger(path.parent, "fake").begin([], DuetSettings())
        read_duets(path.with_suffix(".jsonl"))


def accuracies(content: bytes) -> None:
    """Records of evaluations."""
    with a_file("accuracy/fake.jsonl", content) as path:
        read_accuracies(path.parents[1])


def predictions(content: bytes) -> None:
    """What an interrupted evaluation was answered."""
    with a_file("fake.jsonl", content) as path:
        found = Predictions(path, {})
        found.opened({"provider": "CPU"})
        found.write()


def artifacts(content: bytes) -> None:
    """What lies beside a file of the cache."""
    with a_file("net.json", content) as path:
        (path.with_suffix(".onnx")).write_bytes(b"")
        read_artifact(path.with_suffix(".onnx"))


def downloads(content: bytes) -> None:
    """What lies beside a part of a download."""
    with a_file("net.pth.part.json", content) as path:
        assert not Part(path.with_name("net.pth"), "http://one/net.pth").is_whole
