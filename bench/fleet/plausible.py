"""Whether a visit that a host sent can have been measured, before it is written beside others."""

from collections.abc import Mapping

import msgspec

from bench.trust.plausible import impossible
from bench.trust.visit import Visit
from system.errors import UserError, one_line


def possible(visit: Visit) -> Visit:
    """The visit. Raises UserError where it holds what can't have been measured, or no record can hold."""
    if visit.before or visit.after:
        raise _impossible("readings as records of schema 1 hold them")
    if (found := impossible(visit)) is not None:
        raise _impossible(found)
    for samples in (visit.samples, *(each for reading in visit.readings for each in reading.workloads.values())):
        for table in samples.conditions:
            _refuse_unwritable(table)
    return visit


def _refuse_unwritable(table: Mapping[str, object]) -> None:
    try:
        msgspec.json.encode(table)
    except Exception as error:
        raise _impossible(f"readings that no record can hold: {one_line(error, 80)}") from error


def _impossible(found: str) -> UserError:
    return UserError("a host sent an impossible visit", found=found, fix="see that host")
