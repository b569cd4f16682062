"""Whether a visit that a host sent can have been measured, before it is written beside others."""

import math
from collections.abc import Iterable, Mapping

import msgspec

from bench.trust.visit import Visit
from devices.samples import WAITED, Samples
from system.errors import UserError, one_line


def possible(visit: Visit) -> Visit:
    """The visit. Raises UserError where it holds what can't have been measured."""
    if not (math.isfinite(visit.at_s) and visit.at_s >= 0):
        raise _impossible(f"it began at {visit.at_s} s")
    if visit.before or visit.after:
        raise _impossible("readings as records of schema 1 hold them")
    _refuse_no_seconds(visit.settle_s)
    _refuse_impossible(visit.samples)
    for reading in visit.readings:
        if not math.isfinite(reading.at_s) or not (reading.clock_hz is None or 0 < reading.clock_hz < math.inf):
            raise _impossible(f"a reading at {reading.at_s} s of a clock of {reading.clock_hz} Hz")
        for samples in reading.workloads.values():
            _refuse_impossible(samples)
    return visit


def _refuse_impossible(samples: Samples) -> None:
    if not samples.seconds:
        raise _impossible("no samples")
    _refuse_no_seconds(samples.seconds)
    if any(len(values) != len(samples.seconds) for values in samples.evidence.values()):
        raise _impossible("evidence of other samples")
    if not all(math.isfinite(value) for values in samples.evidence.values() for value in values):
        raise _impossible("evidence that is no number")
    for table in samples.conditions:
        _refuse_unwritable(table)
        _refuse_endless_wait(table)


def _refuse_no_seconds(seconds: Iterable[float]) -> None:
    for each in seconds:
        if not 0 < each < math.inf:
            raise _impossible(f"a sample of {each} s")


def _refuse_unwritable(table: Mapping[str, object]) -> None:
    try:
        msgspec.json.encode(table)
    except Exception as error:
        raise _impossible(f"readings that no record can hold: {one_line(error, 80)}") from error


def _refuse_endless_wait(table: Mapping[str, object]) -> None:
    waited_s = table.get(WAITED, 0.0)
    if not isinstance(waited_s, int | float) or not 0 <= waited_s < math.inf:
        raise _impossible(f"it waited {waited_s!r} s"[:80])


def _impossible(found: str) -> UserError:
    return UserError("a host sent an impossible visit", found=found, fix="see that host")
