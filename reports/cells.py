"""What every report shows: a `Report` of `Column`s of `Cell`s, latencies in milliseconds of one image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bench.records.record import Network, Record
from bench.trust.verdict import USABLE
from devices.targets import Target
from models.published import Published, published
from reports.accuracy import MeasuredAccuracy

# Column headings of the published table; any other target's heading is its name.
_HEADINGS = {"v100": "V100", "t4": "T4", "pixel2": "Pixel2"}
# All that the publication states about how each column was measured.
_PUBLISHED = {"v100": "NVIDIA V100 FP16", "t4": "NVIDIA T4 TensorRT INT8", "pixel2": "Google Pixel 2"}


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one image with their 95 % interval.

    A published number has none, and neither has one of fewer than four visits: all three are then equal.
    """

    ms: float
    low_ms: float
    high_ms: float

    @classmethod
    def exactly(cls, ms: float) -> "Latency":
        """A number without an interval."""
        return cls(ms, ms, ms)

    @property
    def has_interval(self) -> bool:
        """Whether anything is known of its error."""
        return self.low_ms < self.high_ms


@dataclass(frozen=True)
class Measured:
    """The statistics and the verdict of one record.

    `raw_ms` is the wall-clock median of all samples, disturbed ones too, as a plain timing loop would report it,
    `undivided_ms` the number without the correction by the reference workloads, `corrected_by` what that changed,
    relative. `refers_to` says at which condition of the machine the number holds. `within_sweep` is true where the
    interval can't say what another sweep would give; `sweep` is the sweep's id. `state` says how warm the device was,
    "" where its clock is the host's. `batch` is images in one inference, `samples` and `visits` are counts.
    `hardware` is equal where two numbers were measured by one runtime on the same hardware. `levels_ms` are of the
    devices that shared the visits, by name, each one's own; empty where one device made all of them.
    """

    latency: Latency
    batch: int
    raw_ms: float
    undivided_ms: float
    corrected_by: float
    refers_to: str
    state: str
    within_sweep: bool
    sweep: str
    p5_ms: float
    p95_ms: float
    p99_ms: float
    samples: int
    visits: int
    clock: str
    ran_on: str
    hardware: tuple[str, ...]
    verdict: str
    detail: str
    levels_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether the verdict says that it can be used and compared."""
        return self.verdict in USABLE

    @property
    def judged(self) -> str:
        """The verdict and its details in words."""
        return f"{self.verdict}: {self.detail}".removesuffix(": ")

    @property
    def device_spread(self) -> float | None:
        """The slowest device's level over the fastest's; None where one device made all visits."""
        return max(self.levels_ms.values()) / min(self.levels_ms.values()) if self.levels_ms else None

    @property
    def batch_ms(self) -> float:
        """Milliseconds of a whole batch."""
        return self.latency.ms * self.batch

    @property
    def images_per_s(self) -> float:
        """Throughput at this batch."""
        return 1e3 / self.latency.ms


@dataclass(frozen=True)
class Cell:
    """One network on one target. `note` is the reason for a missing measured number, or a remark about one.

    `printed` is the published number as text, as printed. `accuracy` is of the very file that gave the measured number.
    """

    measured: Measured | None = None
    published: Latency | None = None
    note: str = ""
    printed: str = ""
    accuracy: MeasuredAccuracy | None = None

    @property
    def latency(self) -> Latency | None:
        """The measured number, or where there is none the published one."""
        return self.measured.latency if self.measured else self.published

    @property
    def ratio(self) -> Latency | None:
        """Measured over published; above 1 is slower than published. None where one of them is missing."""
        if self.measured is None or self.published is None:
            return None
        latency, printed_ms = self.measured.latency, self.published.ms
        return Latency(latency.ms / printed_ms, latency.low_ms / printed_ms, latency.high_ms / printed_ms)


@dataclass(frozen=True)
class Column:
    """One target and its newest record, without the measurement; None where there is no record.

    `other_files` are networks of which another file than the one timed here was evaluated, by name.
    """

    target: Target
    cells: dict[str, Cell]
    newest: Record | None = None
    other_files: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The target's name."""
        return self.target.name

    @property
    def heading(self) -> str:
        """The heading of the column in a table."""
        return _HEADINGS.get(self.name, self.name)

    @property
    def title(self) -> str:
        """The target's title; where nothing was measured, what the publication states."""
        return self.target.title if self.measured else _PUBLISHED.get(self.name, self.target.title)

    @cached_property
    def measured(self) -> bool:
        """Whether any network was measured here."""
        return any(cell.measured for cell in self.cells.values())

    @cached_property
    def states(self) -> list[str]:
        """How warm the device was when its numbers were measured, where that is known; one unless they differ."""
        found = {cell.measured.state for cell in self.cells.values() if cell.measured}
        return sorted(found - {""})

    @cached_property
    def accuracies(self) -> dict[str, MeasuredAccuracy]:
        """The accuracies of the files that were timed here, by network."""
        return {name: cell.accuracy for name, cell in self.cells.items() if cell.accuracy}

    def cell(self, network: Network) -> Cell:
        """The cell of a network; an empty one where there is no number and no reason."""
        return self.cells.get(network.name, Cell())


@dataclass(frozen=True)
class Report:
    """Everything that is shown: networks are rows, targets are columns."""

    networks: list[Network]
    columns: list[Column]

    def printed(self, network: Network) -> Published | None:
        """The published row of a network."""
        return published().get(network.name)

    @property
    def has_accuracies(self) -> bool:
        """Whether any file that was timed was also evaluated."""
        return any(column.accuracies for column in self.columns)
