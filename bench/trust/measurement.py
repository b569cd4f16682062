"""`Measurement`: the raw times of one network in one sweep, what they are held against, and what they come to."""

import math
from functools import cached_property
from statistics import fmean, median

import msgspec

from bench.trust.basis import Basis
from bench.trust.condition import Condition
from bench.trust.devices import by_device, device_levels, estimate_of_devices
from bench.trust.exponents import Exponents
from bench.trust.plausible import impossible
from bench.trust.rejection import rejection_reason, value_s
from bench.trust.run_to_run import RunToRun, Told
from bench.trust.statistics import Estimate, estimate, percentile, without_interval
from bench.trust.visit import Visit


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What records of schema 1 say of their visits; of it only `lost_share` is still used."""

    lost_share: float


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
    def why_impossible(self) -> str | None:
        """What of it can't have been measured, in words; nothing may be computed from it then."""
        if not self.visits:
            return "no visit"
        found = next(filter(None, map(impossible, self.visits)), None)
        return found or (self.basis.impossible() if self.basis else None)

    @property
    def possible(self) -> bool:
        """Whether all of it can have been measured."""
        return self.why_impossible is None

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
        """The number at the reference condition with its 95 % interval; of all visits where none counts.

        Where several devices share the visits, each counts the same (bench/trust/devices.py).
        """
        return self._estimate(corrected=True, run_to_run=self.basis.run_to_run if self.basis else None)

    @cached_property
    def alone(self) -> Estimate:
        """The same as if nothing were known of how far sweeps, and several devices, lie apart."""
        return self._estimate(corrected=True, between=False)

    @property
    def told(self) -> Told:
        """What this sweep alone says of the network, to be compared with what others say."""
        return Told.of(self.alone.number_s, self.alone.log_error)

    @cached_property
    def undivided(self) -> Estimate:
        """The same without any correction."""
        if self._exponents is None:  # nothing is divided out
            return self.estimate
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

    @cached_property
    def levels_s(self) -> dict[str, float]:
        """Of each device that made visits that count, its own level in seconds; empty where fewer than two did."""
        grouped = by_device(self.values_s, self._devices)
        several = len(grouped) > 1 and min(self.values_s) > 0
        return device_levels(grouped) if several else {}

    @property
    def device_spread(self) -> float:
        """The slowest device's level over the fastest's; 1 where fewer than two made visits that count."""
        return max(self.levels_s.values()) / min(self.levels_s.values()) if self.levels_s else 1.0

    @property
    def beside_devices(self) -> list[float]:
        """The values of the visits that count without what the devices differ by; as they are of one device."""
        if not self.levels_s:
            return self.values_s
        pairs = zip(self.values_s, self._devices, strict=True)
        return [value / self.levels_s[device or ""] for value, device in pairs]

    @property
    def _devices(self) -> list[str | None]:
        """That of each visit that counts."""
        return [visit.device for visit in self.counted]

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

    def _estimate(self, *, corrected: bool, run_to_run: RunToRun | None = None, between: bool = True) -> Estimate:
        if not self.counted:  # a number to show, but no interval
            return self._of_all()
        values_s, error = self._undivided_s, 0.0
        if corrected and self._exponents is not None:
            compute, core_to_core = zip(*self._conditions, strict=True)
            values_s = self.values_s
            error = self._exponents.log_error((median(compute), median(core_to_core)))
        grouped = by_device(values_s, self._devices)
        if len(grouped) < 2:
            return estimate(values_s, correction_error=error, run_to_run=run_to_run)
        return estimate_of_devices(grouped, correction_error=error, run_to_run=run_to_run, between=between)

    def _of_all(self) -> Estimate:
        every_s = [value_s(visit, self.lost_share) for visit in self.visits]
        medians = [median(each) for each in by_device(every_s, [visit.device for visit in self.visits]).values()]
        return without_interval(fmean(medians) if len(medians) > 1 else medians[0], within_sweep=True)
