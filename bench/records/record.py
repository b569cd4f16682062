"""`Record`: one cell of the table, as it is kept on disk, raw times included."""

from functools import cached_property
from statistics import median
from typing import Literal

import msgspec

from bench.protocol import Protocol
from bench.records.conditions import Conditions
from bench.trust.rejection import Limits, Visit, least_disturbed, rejection_reason, value_s
from bench.trust.statistics import Estimate, estimate, percentile
from devices.targets import Target
from exporters.artifact import Artifact

# Raise it when a field changes its meaning; readers refuse what is newer than they are.
SCHEMA = 1

Word = Literal["stable", "contended", "throttled", "drifting", "too few samples", "enqueue-bound"]


class Measurement(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The raw times, warm-up first, then round by round, and the clock that took them; statistics derive from them.

    All seconds are of one inference of one batch.
    """

    clock: str
    # Records on disk keep the names that these two fields had first.
    ran_on: dict[str, str | int] = msgspec.field(name="place")
    warmup_s: list[float]
    visits: list[Visit] = msgspec.field(name="rounds")
    limits: Limits

    @cached_property
    def seconds(self) -> list[float]:
        """Every sample but the settling ones, in order, disturbed or not."""
        return [second for part in self.visits for second in part.samples.seconds]

    @cached_property
    def rejections(self) -> list[str | None]:
        """Of each round, why it does not count, or None where it does."""
        return [rejection_reason(part, self.limits) for part in self.visits]

    @cached_property
    def trusted(self) -> list[Visit]:
        """The visits that count."""
        return [part for part, why in zip(self.visits, self.rejections, strict=True) if why is None]

    @cached_property
    def estimate(self) -> Estimate:
        """The median, with its 95 % interval, of the visits that count; of the least disturbed where none does."""
        visits = self.trusted or least_disturbed(self.visits, self.limits)
        return estimate([value_s(part, self.limits) for part in visits], self.limits.run_to_run)

    @property
    def raw_median_s(self) -> float:
        """The wall-clock median of all samples, disturbed or not: what a plain loop would have said."""
        return median(self.seconds)

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
    """One cell: a measurement with its verdict, or the reason why there is none; both where one ended early."""

    schema: int = SCHEMA
    sweep: str
    model: Network
    target: Target
    protocol: Protocol
    artifact: Artifact | None
    conditions: Conditions
    measurement: Measurement | None = None
    verdict: Verdict | None = None
    reason: str | None = None
