"""Which rounds count: those that nobody disturbed, by the evidence that they carry themselves."""

from collections.abc import Iterable
from statistics import median

import msgspec

from bench.statistics import percentile
from devices.samples import Samples

# Fewer undisturbed readings than this don't say what the reference takes on the undisturbed machine.
_FEWEST_READINGS = 5
# Among them the fast tenth: the machine's own speed, not that of its slower moods.
_FAST_PERCENT = 10


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One visit: when it began on the sweep's clock, the seconds that settled, the samples that count.

    `before` and `after` are readings of the fixed reference work, right before and right after it, where the host's
    own processor does the work.
    """

    at_s: float
    settle_s: list[float]
    samples: Samples
    before: Samples | None = None
    after: Samples | None = None

    @property
    def end_s(self) -> float:
        """When it ended, on the same clock."""
        return self.at_s + sum(self.settle_s) + sum(self.samples.seconds)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a round must keep to count; `reference_s` is what the reference takes on the undisturbed machine."""

    lost_share: float
    reference_tolerance: float
    reference_s: float | None = None


def clean_seconds(samples: Samples, lost_share: float) -> list[float]:
    """The samples during which ready threads went without a core, or the host was stolen, for a trifle at most."""
    nothing = [0.0] * len(samples.seconds)
    waits, steals = (samples.evidence.get(name, nothing) for name in ("wait_s", "steal_s"))
    return [
        second
        for second, wait, steal in zip(samples.seconds, waits, steals, strict=True)
        if wait + steal <= lost_share * second
    ]


def undisturbed_s(readings: Iterable[Samples], lost_share: float) -> float | None:
    """What the reference takes when nobody disturbs it; None where too few readings were undisturbed to say."""
    clean = [second for reading in readings for second in clean_seconds(reading, lost_share)]
    return percentile(clean, _FAST_PERCENT) if len(clean) >= _FEWEST_READINGS else None


def objection(visit: Round, limits: Limits) -> str | None:
    """Why a round does not count, in the words of a verdict, or None where it does."""
    for word in ("throttled", "contended"):
        if any(table.get(word) for table in visit.samples.conditions):
            return word
    if not clean_seconds(visit.samples, limits.lost_share):
        return "contended"
    for reading in (visit.before, visit.after):
        if reading is not None and not undisturbed(reading, limits):
            return "contended"
    return None


def value_s(visit: Round, limits: Limits) -> float:
    """A round's value: the median of its clean samples, or of all where none is clean."""
    return median(clean_seconds(visit.samples, limits.lost_share) or visit.samples.seconds)


def undisturbed(reading: Samples, limits: Limits) -> bool:
    """Whether the reference took what it takes on the undisturbed machine, as far as that is known."""
    clean = clean_seconds(reading, limits.lost_share)
    if not clean or limits.reference_s is None:
        return False
    return median(clean) <= limits.reference_s * (1 + limits.reference_tolerance)
