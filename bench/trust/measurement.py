"""`Measurement`: the raw times of one network in one sweep, what they are held against, and what they come to."""

import math
from functools import cached_property
from statistics import median

import msgspec

from bench.trust.condition import Condition
from bench.trust.exponents import Exponents, Information
from bench.trust.rejection import rejection_reason, value_s
from bench.trust.run_to_run import RunToRun
from bench.trust.statistics import Estimate, estimate, percentile
from bench.trust.visit import Visit


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What records of schema 1 say of their visits; of it only `lost_share` is still used."""

    lost_share: float


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """What a measurement's visits are held against, learnt from the whole sweep and from earlier ones.

    `epoch` names the machine as it was, `reference_s` what each reference workload takes at the condition that numbers
    of that epoch refer to, `conditions` the condition of each visit relative to it, as two logarithms, empty where
    nothing was read. `exponents` say how much of it is divided out, `information` what this sweep alone says of them.
    `clock_hz` is the range of the clock (5th and 95th percentile) through the sweep, `sampling_share` the part of the
    sweep's time that went into inferences of networks.
    """

    lost_share: float
    epoch: str = ""
    reference_s: dict[str, float] = {}
    conditions: list[Condition] = []
    exponents: Exponents | None = None
    information: Information | None = None
    run_to_run: RunToRun | None = None
    clock_hz: tuple[float, float] | None = None
    sampling_share: float | None = None


class Measurement(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The raw times, warm-up first, then visit by visit, and the clock that took them; statistics derive from them.

    All seconds are of one inference of one batch. Records of schema 1 have `limits` instead of a `basis`; their numbers
    are not corrected.
    """

    clock: str
    # Records on disk keep the names that these two fields had first.
    ran_on: dict[str, str | int] = msgspec.field(name="place")
    warmup_s: list[float]
    visits: list[Visit] = msgspec.field(name="rounds")
    limits: Limits | None = None
    basis: Basis | None = None

    def held_against(self, **changes: RunToRun | float | None) -> "Measurement":
        """The same visits held against a basis of which some fields are others."""
        assert self.basis is not None, "records of schema 1 have no basis"
        return msgspec.structs.replace(self, basis=msgspec.structs.replace(self.basis, **changes))

    @property
    def lost_share(self) -> float:
        """The share of a sample that its threads may wait for a core."""
        held = self.basis or self.limits
        return held.lost_share if held else math.inf

    @cached_property
    def seconds(self) -> list[float]:
        """Every sample but the settling ones, in order, disturbed or not."""
        return [second for visit in self.visits for second in visit.samples.seconds]

    @cached_property
    def rejections(self) -> list[str | None]:
        """Of each visit, why it does not count, or None where it does."""
        return [rejection_reason(visit, self.lost_share) for visit in self.visits]

    @cached_property
    def counted(self) -> list[Visit]:
        """The visits that count."""
        return [visit for visit, why in zip(self.visits, self.rejections, strict=True) if why is None]

    @cached_property
    def estimate(self) -> Estimate:
        """The number at the reference condition with its 95 % interval; of all visits where none counts."""
        return self._estimate(corrected=True, run_to_run=self.basis.run_to_run if self.basis else None)

    @cached_property
    def alone(self) -> Estimate:
        """The same as if nothing were known of how far sweeps lie apart."""
        return self._estimate(corrected=True)

    @cached_property
    def undivided(self) -> Estimate:
        """The same without any correction."""
        return self._estimate(corrected=False, run_to_run=self.basis.run_to_run if self.basis else None)

    @property
    def corrected_by(self) -> float:
        """How much the correction changed the number, relative: -0.02 where 2 % were divided out."""
        return self.estimate.number_s / self.undivided.number_s - 1

    @property
    def raw_median_s(self) -> float:
        """The wall-clock median of all samples, disturbed or not: what a plain loop would have said."""
        return median(self.seconds)

    def percentile(self, percent: float) -> float:
        """The nearest-rank percentile of all samples, in seconds."""
        return percentile(self.seconds, percent)

    @cached_property
    def values_s(self) -> list[float]:
        """Of each visit that counts, its seconds at the reference condition."""
        return [
            seconds / math.exp(self._exponents.log_slowdown(condition)) if self._exponents else seconds
            for seconds, condition in zip(self._undivided_s, self._conditions, strict=True)
        ]

    @property
    def _undivided_s(self) -> list[float]:
        return [value_s(visit, self.lost_share) for visit in self.counted]

    @property
    def _exponents(self) -> Exponents | None:
        """None where nothing is divided out."""
        return self.basis.exponents if self.basis and len(self.basis.conditions) == len(self.visits) else None

    @property
    def _conditions(self) -> list[Condition]:
        """That of each visit that counts."""
        known = self.basis.conditions if self.basis and self._exponents else [(0.0, 0.0)] * len(self.visits)
        return [condition for condition, why in zip(known, self.rejections, strict=True) if why is None]

    def _estimate(self, *, corrected: bool, run_to_run: RunToRun | None = None) -> Estimate:
        if not self.counted:  # a number to show, but no interval
            return estimate([median(value_s(visit, self.lost_share) for visit in self.visits)])
        if not corrected or self._exponents is None:
            return estimate(self._undivided_s, run_to_run=run_to_run)
        compute, core_to_core = zip(*self._conditions, strict=True)
        error = self._exponents.log_error((median(compute), median(core_to_core)))
        return estimate(self.values_s, correction_error=error, run_to_run=run_to_run)
