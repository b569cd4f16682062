"""The rows and columns that every report shows: the newest record of each cell beside the published number."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec

from bench.cell import network_of
from bench.record import Measurement, Network, Record
from devices.targets import Target, find_targets
from models.errors import one_line
from models.published import COLUMNS, Published, published
from models.zoo import zoo

# How the published table heads its columns; any other target is headed by its own name.
_HEADINGS = {"v100": "V100", "t4": "T4", "pixel2": "Pixel2"}


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one image with their 95 % interval; a published number has none, so all three are equal."""

    ms: float
    low_ms: float
    high_ms: float

    @classmethod
    def exactly(cls, ms: float) -> "Latency":
        """A number without an interval."""
        return cls(ms, ms, ms)


@dataclass(frozen=True)
class Measured:
    """What a record's raw times come to, and how far they can be trusted."""

    latency: Latency
    batch: int
    p5_ms: float
    p95_ms: float
    p99_ms: float
    samples: int
    rounds: int
    clock: str
    place: str
    verdict: str
    detail: str
    time: str

    @property
    def trusted(self) -> bool:
        """Whether the verdict is "stable"."""
        return self.verdict == "stable"

    @property
    def images_per_s(self) -> float:
        """Throughput at this batch."""
        return 1e3 / self.latency.ms


@dataclass(frozen=True)
class Cell:
    """One network on one target. `note` says why there is no measured number, or why it is an older one."""

    measured: Measured | None = None
    published: Latency | None = None
    note: str = ""

    @property
    def latency(self) -> Latency | None:
        """The measured number, or where there is none the published one."""
        return self.measured.latency if self.measured else self.published

    @property
    def ratio(self) -> Latency | None:
        """Measured over published: above 1 is slower than printed."""
        if self.measured is None or self.published is None:
            return None
        latency, printed_ms = self.measured.latency, self.published.ms
        return Latency(latency.ms / printed_ms, latency.low_ms / printed_ms, latency.high_ms / printed_ms)


@dataclass(frozen=True)
class Column:
    """One target; `conditions` and `protocol` are those of its newest record, empty where nothing was measured."""

    target: Target
    cells: dict[str, Cell]
    conditions: dict[str, Any] = field(default_factory=dict)
    protocol: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The target's name."""
        return self.target.name

    @property
    def heading(self) -> str:
        """What heads the column of a table."""
        return _HEADINGS.get(self.name, self.name)

    @cached_property
    def measured(self) -> bool:
        """Whether any network was measured here."""
        return any(cell.measured for cell in self.cells.values())

    def cell(self, network: Network) -> Cell:
        """The cell of a network; an empty one where nothing is known."""
        return self.cells.get(network.name, Cell())


@dataclass(frozen=True)
class Report:
    """Everything that is shown: the networks are the rows."""

    networks: list[Network]
    columns: list[Column]

    def printed(self, network: Network) -> Published | None:
        """The published row of a network."""
        return published().get(network.name)


def gather(records: Iterable[Record]) -> Report:
    """Arrange records, newest first within a cell, as rows and columns: the published ones, then the others.

    The first record of a cell that holds a number gives it; newer ones without leave a note.
    """
    networks = {model.name: network_of(model) for model in zoo().values()}
    cells: dict[str, dict[str, Cell]] = {name: {} for name in COLUMNS}
    newest: dict[str, Record] = {}
    for record in records:
        name, model = record.target.name, record.model.name
        networks.setdefault(model, record.model)
        column = cells.setdefault(name, {})
        column[model] = _add(column.get(model), record)
        if name not in newest or _time(record) > _time(newest[name]):
            newest[name] = record if record.measurement is None else msgspec.structs.replace(record, measurement=None)
    for name, column in cells.items():
        for model, row in published().items():
            if (printed_ms := row.latency_ms.get(name)) is not None:
                cell = column.get(model, Cell())
                column[model] = Cell(cell.measured, Latency.exactly(printed_ms), cell.note)
    return Report(list(networks.values()), [_column(name, column, newest.get(name)) for name, column in cells.items()])


def _add(newer: Cell | None, record: Record) -> Cell:
    if newer is not None and newer.measured is not None:
        return newer
    reason = _reason(record)
    if reason is not None:
        return newer or Cell(note=reason)
    assert record.measurement is not None
    note = f"an older number; the newest run has none: {newer.note}" if newer else ""
    return Cell(measured=_measured(record, record.measurement), note=note)


def _reason(record: Record) -> str | None:
    """Why a record gives no number, or None where it does."""
    if record.measurement is None:
        return one_line(record.reason or "no reason recorded")
    seconds = record.measurement.seconds
    if not seconds or not all(part.samples.seconds for part in record.measurement.rounds):
        return "its record holds a round without times"
    if not all(math.isfinite(second) and second > 0 for second in seconds):
        return "its record holds times that no clock gives (zero, negative or not finite)"
    if record.target.batch < 1:
        return f"its record says batch {record.target.batch}"
    return None


def _measured(record: Record, measurement: Measurement) -> Measured:
    scale = 1e3 / record.target.batch
    estimate, verdict = measurement.estimate, record.verdict
    return Measured(
        latency=Latency(estimate.median_s * scale, estimate.low_s * scale, estimate.high_s * scale),
        batch=record.target.batch,
        p5_ms=measurement.percentile(5) * scale,
        p95_ms=measurement.percentile(95) * scale,
        p99_ms=measurement.percentile(99) * scale,
        samples=len(measurement.seconds),
        rounds=len(measurement.rounds),
        clock=measurement.clock,
        place=", ".join(f"{key} {value}" for key, value in measurement.place.items()),
        verdict=verdict.word if verdict else "not judged",
        detail=verdict.detail if verdict else "",
        time=_time(record),
    )


def _column(name: str, cells: dict[str, Cell], newest: Record | None) -> Column:
    if newest is None:
        return Column(find_targets(name)[0], cells)
    return Column(newest.target, cells, newest.conditions, msgspec.to_builtins(newest.protocol))


def _time(record: Record) -> str:
    end = record.conditions.get("end")
    return str(end.get("time", "")) if isinstance(end, dict) else ""
