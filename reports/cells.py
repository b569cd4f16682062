"""The words of every report: `Report` of `Column`s of `Cell`s, milliseconds of one image."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bench.records.conditions import Conditions
from bench.records.record import Network
from devices.targets import Target
from models.published import Published, published

# How the published table heads its columns; any other target is headed by its own name.
_HEADINGS = {"v100": "V100", "t4": "T4", "pixel2": "Pixel2"}
# What is known of how the published columns were taken; more than this was never stated.
_PUBLISHED = {"v100": "NVIDIA V100 FP16", "t4": "NVIDIA T4 TensorRT INT8", "pixel2": "Google Pixel 2"}


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
    """What a record's raw times come to, and how far they can be trusted.

    `raw_ms` is the wall-clock median of all samples, disturbed or not: what a plain loop would have said.
    """

    latency: Latency
    batch: int
    raw_ms: float
    p5_ms: float
    p95_ms: float
    p99_ms: float
    samples: int
    visits: int
    clock: str
    ran_on: str
    verdict: str
    detail: str

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
    """One network on one target. `note` says why there is no measured number, or what is odd about it.

    `printed` is the published number as it was printed.
    """

    measured: Measured | None = None
    published: Latency | None = None
    note: str = ""
    printed: str = ""

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
    """One target; `conditions` and `protocol` are those of its newest record, None and empty where nothing was."""

    target: Target
    cells: dict[str, Cell]
    conditions: Conditions | None = None
    protocol: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The target's name."""
        return self.target.name

    @property
    def heading(self) -> str:
        """What heads the column of a table."""
        return _HEADINGS.get(self.name, self.name)

    @property
    def title(self) -> str:
        """What the column is of; where nothing was measured, no more than what was published says."""
        return self.target.title if self.measured else _PUBLISHED.get(self.name, self.target.title)

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
