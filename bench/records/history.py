"""What earlier sweeps of a target left behind that later ones learn from, as far as they are of one epoch."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from bench.records.record import Record
from bench.records.store import read_lines
from bench.trust.exponents import Information
from bench.trust.fit import Earlier
from bench.trust.measurement import Measurement
from bench.trust.run_to_run import Told
from devices.targets import Target
from system.unreadable import UNREADABLE

Sweep = TypeVar("Sweep")
# Sweeps before these say little about a machine as it is; it also bounds the time to read them.
_SWEEPS = 10


class _Basis(msgspec.Struct, frozen=True):
    epoch: str = ""


class _Measured(msgspec.Struct, frozen=True):
    basis: _Basis | None = None


class _Protocol(msgspec.Struct, frozen=True):
    sustained: bool = False


class _Header(msgspec.Struct, frozen=True):
    """The little of a record that says which sweep, target and epoch it is of."""

    sweep: str
    target: Target
    protocol: _Protocol = _Protocol()
    measurement: _Measured | None = None


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What one sweep said of one network, and of which file."""

    sha256: str
    told: Told
    information: Information | None


class History(NamedTuple):
    """The last sweeps of an epoch by their ids, oldest first, each by the network's name."""

    sweeps: Mapping[str, Mapping[str, Said]] = {}

    def beside(self, others: Mapping[str, Mapping[str, Said]]) -> "History":
        """These and others, of which some may be the same."""
        return History(last_sweeps({**others, **self.sweeps}))

    def of(self, files: Mapping[str, str], *, epoch: str, reference_s: Mapping[str, float]) -> Earlier:
        """What they say of these networks, by name the sha256 of its file; other files are other networks."""
        same = [
            {name: said for name, said in sweep.items() if files.get(name) == said.sha256}
            for sweep in self.sweeps.values()
        ]
        return Earlier(
            epoch=epoch,
            reference_s=dict(reference_s),
            information={
                name: [
                    said.information
                    for sweep in same
                    if (said := sweep.get(name)) and said.information is not None and said.information.possible
                ]
                for name in files
            },
            told=[{name: said.told for name, said in sweep.items()} for sweep in same],
        )


def history(file: Path, target: Target, epoch: str, *, but: str, sustained: bool = False) -> History:
    """The last sweeps of a file on this target in this epoch, `but` one sweep. Unreadable lines are passed over.

    Those of a heat-soaked device (`sustained`) and of others are not mixed.
    """
    lines: dict[str, list[bytes]] = {}
    for header, line in _of_epoch(file, epoch):
        if header.target == target and header.sweep != but and header.protocol.sustained == sustained:
            lines.setdefault(header.sweep, []).append(line)
    return History({sweep: said_by(_decoded(found)) for sweep, found in last_sweeps(lines).items()})


def last_sweeps(sweeps: Mapping[str, Sweep]) -> dict[str, Sweep]:
    """Those that still say something of the machine."""
    return dict(list(sweeps.items())[-_SWEEPS:])


def said_by(records: Iterable[Record]) -> dict[str, Said]:
    """What records of one sweep say, by the network's name; those without a number that can be say nothing."""
    return {record.model.name: _said(record, found) for record in records if (found := _possible(record)) is not None}


def _of_epoch(file: Path, epoch: str) -> Iterator[tuple[_Header, bytes]]:
    decoder = msgspec.json.Decoder(_Header)
    for _, line in read_lines(file):
        try:
            header = decoder.decode(line)
        except UNREADABLE:
            continue  # who reads the records says so
        if header.measurement and header.measurement.basis and header.measurement.basis.epoch == epoch:
            yield header, line


def _decoded(lines: Sequence[bytes]) -> Iterator[Record]:
    decoder = msgspec.json.Decoder(Record)
    for line in lines:
        with suppress(*UNREADABLE):
            yield decoder.decode(line)


def _possible(record: Record) -> Measurement | None:
    measurement = record.measurement
    return measurement if measurement and measurement.possible else None


def _said(record: Record, measurement: Measurement) -> Said:
    basis = measurement.basis
    return Said(
        sha256=record.artifact.sha256 if record.artifact else "",
        told=measurement.told,
        information=basis.information if basis else None,
    )
