"""Which visits count: those that nobody disturbed, by the evidence that they carry themselves."""

from collections.abc import Mapping, Sequence
from statistics import mean, median

import msgspec

from devices.samples import Samples

# What the reference works took, by the work's name.
Readings = Mapping[str, Samples]
# How much of a reference work's slowdown a network shares. All of arithmetic's; of the exchange's none (dense
# convolutions) to nine tenths (depthwise ones): docs/trust.md has what was best for the twelve together.
_SHARED = {"arithmetic": 1.0, "exchange": 0.3}


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One visit: when it began on the sweep's clock, the seconds that settled, the samples that count.

    `before` and `after` are readings of the reference works, right before and right after it, where the host's own
    processor does the work.
    """

    at_s: float
    settle_s: list[float]
    samples: Samples
    before: Readings = {}
    after: Readings = {}

    @property
    def end_s(self) -> float:
        """When it ended, on the same clock."""
        return self.at_s + sum(self.settle_s) + sum(self.samples.seconds)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a round must keep to count.

    `reference_s` is what each reference work takes on the undisturbed machine, empty while that is unknown, and
    `tolerance` how much longer, relative, it may take around a round. `fastest_s` is what this sweep alone has seen.
    `run_to_run` is the relative standard error that a sweep does not see of itself.
    """

    lost_share: float
    tolerance: dict[str, float] = {}
    reference_s: dict[str, float] = {}
    fastest_s: dict[str, float] = {}
    run_to_run: float = 0.0


def clean_seconds(samples: Samples, lost_share: float) -> list[float]:
    """The samples during which ready threads went without a core, or the host was stolen, for a trifle at most."""
    return [
        second for second, lost in zip(samples.seconds, _lost_s(samples), strict=True) if lost <= lost_share * second
    ]


def rejection_reason(visit: Visit, limits: Limits) -> str | None:
    """Why a round does not count, in the words of a verdict, or None where it does."""
    for word in ("throttled", "contended"):
        if any(table.get(word) for table in visit.samples.conditions):
            return word
    if disturbances(visit, limits):
        return "contended"
    unknown = {*visit.before, *visit.after} - limits.reference_s.keys()
    return "too few samples" if unknown else None


def disturbances(visit: Visit, limits: Limits) -> list[str]:
    """What shows that others used the processor during a visit: "waiting" threads, and each reference work's name."""
    waiting = [] if clean_seconds(visit.samples, limits.lost_share) else ["waiting"]
    slow = {name for readings in (visit.before, visit.after) for name in _slow(readings, limits)}
    return waiting + sorted(slow)


def undisturbed(readings: Readings, limits: Limits) -> bool:
    """Whether every reference work took what it takes on the undisturbed machine, as far as that is known."""
    return not _slow(readings, limits)


def value_s(visit: Visit, limits: Limits) -> float:
    """A round's value: the median of its clean samples, or of all where none is clean, on the undisturbed machine.

    So much of a slowdown as a round that counts may have is divided out.
    """
    seconds = clean_seconds(visit.samples, limits.lost_share) or visit.samples.seconds
    return median(seconds) / _slowdown(visit, limits)


def least_disturbed(visits: Sequence[Visit], limits: Limits) -> list[Visit]:
    """The quarter of the visits with the least disturbance, one at least, in the order of time.

    Where there is nothing to tell them apart, all.
    """
    found = [_disturbance(visit, limits) for visit in visits]
    bound = sorted(found)[max(1, len(visits) // 4) - 1]
    return [visit for visit, disturbance in zip(visits, found, strict=True) if disturbance <= bound]


def reading_s(samples: Samples, lost_share: float) -> float | None:
    """What a reading says: the median of its clean samples, None without any."""
    clean = clean_seconds(samples, lost_share)
    return median(clean) if clean else None


def _slowdown(visit: Visit, limits: Limits) -> float:
    """How much slower networks were around a visit than on the undisturbed machine, as far as that is tolerated."""
    factor = 1.0
    for name, reference_s in limits.reference_s.items():
        around = [readings[name] for readings in (visit.before, visit.after) if name in readings]
        if around:
            taken_s = mean(reading_s(samples, limits.lost_share) or median(samples.seconds) for samples in around)
            slower = min(max(1.0, taken_s / reference_s), 1 + limits.tolerance[name])
            factor *= slower ** _SHARED[name]
    return factor


def _disturbance(visit: Visit, limits: Limits) -> float:
    """How many times what is tolerated its samples waited, or its readings were slower: the worst of them."""
    slower = [
        (median(samples.seconds) / limits.reference_s[name] - 1) / limits.tolerance[name]
        for readings in (visit.before, visit.after)
        for name, samples in readings.items()
        if name in limits.reference_s
    ]
    return max(0.0, sum(_lost_s(visit.samples)) / sum(visit.samples.seconds) / limits.lost_share, *slower)


def _slow(readings: Readings, limits: Limits) -> list[str]:
    return [name for name, samples in readings.items() if not _as_fast_as_ever(name, samples, limits)]


def _as_fast_as_ever(name: str, samples: Samples, limits: Limits) -> bool:
    seconds = reading_s(samples, limits.lost_share)
    if seconds is None:
        return False
    return name not in limits.reference_s or seconds <= limits.reference_s[name] * (1 + limits.tolerance[name])


def _lost_s(samples: Samples) -> list[float]:
    """Of each sample, the time that threads waited for a core and that the host took away."""
    nothing = [0.0] * len(samples.seconds)
    waits, steals = (samples.evidence.get(name, nothing) for name in ("wait_s", "steal_s"))
    return [wait + steal for wait, steal in zip(waits, steals, strict=True)]
