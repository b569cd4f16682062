"""`Record`: one cell of the table, as it is kept on disk, raw times included."""

from functools import cached_property
from statistics import median
from typing import Any, Literal

import msgspec

from bench.protocol import Protocol
from bench.statistics import Estimate, median_interval, percentile
from devices.samples import Samples
from devices.targets import Target
from exporters.artifact import Artifact

# Raise it when a field changes its meaning; readers refuse what is newer than they are.
SCHEMA = 1

Word = Literal["stable", "contended", "throttled", "drifting", "too few samples", "enqueue-bound", "ran elsewhere"]


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One visit: when it began on the sweep's clock, the seconds that settled, the samples that count."""

    at_s: float
    settle_s: list[float]
    samples: Samples

    @property
    def end_s(self) -> float:
        """When it ended, on the same clock."""
        return self.at_s + sum(self.settle_s) + sum(self.samples.seconds)

    @property
    def median_s(self) -> float:
        """The median of its samples."""
        return median(self.samples.seconds)


class Measurement(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The raw times, warm-up first, then round by round, and the clock that took them; statistics derive from them.

    All seconds are of one inference of one batch.
    """

    clock: str
    place: dict[str, str | int]
    warmup_s: list[float]
    rounds: list[Round]

    @cached_property
    def seconds(self) -> list[float]:
        """Every sample that counts, in order."""
        return [second for part in self.rounds for second in part.samples.seconds]

    @cached_property
    def estimate(self) -> Estimate:
        """The median of the rounds' medians with its 95 % interval across rounds."""
        return median_interval([part.median_s for part in self.rounds])

    def percentile(self, percent: float) -> float:
        """The nearest-rank percentile of all samples, in seconds."""
        return percentile(self.seconds, percent)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a number can be trusted, and if not, why: `detail` has the figures."""

    word: Word
    detail: str = ""


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """The model that a record is of; enough to report it without the zoo that named it."""

    name: str
    family: str
    resolution_px: int
    source: str
    params: int | None
    macs: int | None
    top1_percent: float | None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One cell: either a measurement with its verdict, or the reason why there is none."""

    schema: int = SCHEMA
    sweep: str
    model: Network
    target: Target
    protocol: Protocol
    artifact: Artifact | None
    conditions: dict[str, Any]
    measurement: Measurement | None = None
    verdict: Verdict | None = None
    reason: str | None = None
