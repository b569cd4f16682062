"""Readings, visits and measurements made up for tests, as a sweep would have taken them."""

from collections.abc import Sequence

import msgspec

from bench.trust.basis import Basis
from bench.trust.measurement import Measurement
from bench.trust.visit import COMPUTE, CORE_TO_CORE, Reading, Visit
from devices.host.conditions import Moment, machine, moment
from devices.samples import Samples

LOST_SHARE = 0.02


def samples(*seconds: float, wait_s: float = 0.0, steal_s: float = 0.0, conditions: Sequence[dict] = ()) -> Samples:
    """Samples that each waited and were stolen so long."""
    count = len(seconds)
    return Samples(
        seconds=list(seconds),
        evidence={"wait_s": [wait_s] * count, "steal_s": [steal_s] * count},
        conditions=list(conditions),
    )


def a_reading(at_s: float, compute_s: float, core_to_core_s: float, **evidence) -> Reading:
    """A reading of both reference workloads."""
    workloads = {COMPUTE: samples(compute_s, **evidence), CORE_TO_CORE: samples(core_to_core_s, **evidence)}
    return Reading(at_s=at_s, workloads=workloads)


def a_visit(*seconds: float, at_s: float = 0.0, readings: Sequence[Reading] = (), **evidence) -> Visit:
    """A visit whose samples took `seconds`."""
    return Visit(at_s=at_s, settle_s=[], samples=samples(*seconds, **evidence), readings=list(readings))


def visits_of(seconds: Sequence[float], **evidence) -> list[Visit]:
    """Visits of one sample each, a second apart."""
    return [a_visit(each, at_s=float(at), **evidence) for at, each in enumerate(seconds)]


def measured(visits: Sequence[Visit], **basis) -> Measurement:
    """The measurement of these visits; `basis` are further fields of its basis."""
    held = Basis(lost_share=LOST_SHARE, **basis)
    return Measurement(clock="host", ran_on={}, warmup_s=[], visits=list(visits), basis=held)


class ThisHost:
    """This machine as a sweep's ledger wants it, with made-up reference workloads, or as another one in some fields."""

    def __init__(self, workloads=None, **others) -> None:
        self.workloads = workloads or {}
        self.machine = msgspec.structs.replace(machine(), **others)

    def moment(self) -> Moment:
        return moment()
