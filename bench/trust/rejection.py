"""Which visits count: those that this system's own counters, or the device's, don't condemn."""

from statistics import median

from bench.trust.visit import Visit
from devices.samples import CONTENDED, THROTTLED, Samples

# The words of verdicts are the names of what devices tell; the first one counts.
_REASONS = (THROTTLED, CONTENDED)


def clean_seconds(samples: Samples, lost_share: float) -> list[float]:
    """The samples whose run-queue wait plus steal is at most `lost_share` of their duration, in seconds."""
    return [
        second for second, lost in zip(samples.seconds, lost_s(samples), strict=True) if lost <= lost_share * second
    ]


def lost_s(samples: Samples) -> list[float]:
    """Of each sample, the seconds that its threads waited for a core and that the host took away."""
    nothing = [0.0] * len(samples.seconds)
    waits, steals = (samples.evidence.get(name, nothing) for name in ("wait_s", "steal_s"))
    return [wait + steal for wait, steal in zip(waits, steals, strict=True)]


def rejection_reason(visit: Visit, lost_share: float) -> str | None:
    """Why a visit does not count, in the words of a verdict, or None where it does.

    "throttled" and "contended" where the device said so meanwhile; "contended" too where fewer than half of the samples
    are clean: what slowed the others has hardly left those as they would be alone.
    """
    for word in _REASONS:
        if any(table.get(word) for table in visit.samples.conditions):
            return word
    return None if _mostly_clean(visit, lost_share) else CONTENDED


def rejection_details(visit: Visit, lost_share: float) -> list[str]:
    """What was seen during a visit that does not count: the device's own words, and waiting threads or steal."""
    told = [str(table[word]) for table in visit.samples.conditions for word in _REASONS if table.get(word)]
    if not _mostly_clean(visit, lost_share):
        waits, steals = (sum(visit.samples.evidence.get(name, [0.0])) for name in ("wait_s", "steal_s"))
        told.append("steal by the host" if steals > waits else "threads waited for a core")
    return list(dict.fromkeys(told))


def _mostly_clean(visit: Visit, lost_share: float) -> bool:
    return 2 * len(clean_seconds(visit.samples, lost_share)) >= len(visit.samples.seconds)


def value_s(visit: Visit, lost_share: float) -> float:
    """The median of a visit's clean samples, in seconds; of all where none is clean."""
    return median(clean_seconds(visit.samples, lost_share) or visit.samples.seconds)


def reading_s(samples: Samples, lost_share: float) -> float | None:
    """What a reading says: the median of its clean samples in seconds, None without any."""
    clean = clean_seconds(samples, lost_share)
    return median(clean) if clean else None
