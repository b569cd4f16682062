"""What the visits of a sweep are held against: one condition a machine, and for each network its exponents."""

import math
from collections.abc import Mapping, Sequence

import msgspec

from bench.trust.basis import Basis
from bench.trust.condition import Track, clock_range_hz, track
from bench.trust.exponents import Information, learn
from bench.trust.rejection import rejection_reason, value_s
from bench.trust.run_to_run import Told
from bench.trust.visit import Visit


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """What earlier sweeps of the same machine, as it still is, left behind.

    `reference_s` is the condition that its numbers refer to, empty before its first sweep ended; `information` and
    `told` are what each sweep said of each network, by the network's name.
    """

    epoch: str = ""
    reference_s: dict[str, float] = {}
    information: Mapping[str, Sequence[Information]] = {}
    told: Sequence[Mapping[str, Told]] = ()


def fit(visits: Mapping[str, Sequence[Visit]], lost_share: float, earlier: Earlier) -> dict[str, Basis]:
    """The basis of each network, by all visits of a sweep and by earlier sweeps; `visits` by the network's name."""
    every = [visit for each in visits.values() for visit in each]
    found = track(every, lost_share, earlier.reference_s or None)
    common = Basis(
        lost_share=lost_share,
        epoch=earlier.epoch,
        reference_s=dict(found.reference_s) if found else {},
        clock_hz=clock_range_hz(every),
    )
    if found is None:
        return dict.fromkeys(visits, common)
    return {name: _corrected(common, each, found, earlier.information.get(name, ())) for name, each in visits.items()}


def _corrected(common: Basis, visits: Sequence[Visit], condition: Track, earlier: Sequence[Information]) -> Basis:
    conditions = [condition.at(visit.middle_s) for visit in visits]
    counted = [
        (math.log(value_s(visit, common.lost_share)), at)
        for visit, at in zip(visits, conditions, strict=True)
        if rejection_reason(visit, common.lost_share) is None
    ]
    exponents, information = learn([log for log, _ in counted], [at for _, at in counted], earlier)
    return msgspec.structs.replace(common, conditions=conditions, exponents=exponents, information=information)
