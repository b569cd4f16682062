"""`NetworkRun`: one network on one target while a sweep measures it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

import msgspec

from bench.records.journal import Opened
from bench.records.record import Network
from bench.trust.basis import Basis
from bench.trust.measurement import Measurement
from bench.trust.visit import Visit
from exporters.artifact import Artifact
from models.counts import known_counts
from models.model import Model

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Visit).decode


class Visits(Sequence[Visit]):
    """The visits of a network in their order, packed: as objects they take several times the memory.

    That counts where one process keeps the sweeps of many devices (docs/fleet_scale.md). Each access unpacks.
    """

    def __init__(self, visits: Iterable[Visit] = ()) -> None:
        self._packed = [_encode(visit) for visit in visits]

    def append(self, visit: Visit) -> None:
        """Take one more."""
        self._packed.append(_encode(visit))

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, index: int) -> Visit: ...
    @overload
    def __getitem__(self, index: slice) -> list[Visit]: ...
    def __getitem__(self, index: int | slice) -> Visit | list[Visit]:
        if isinstance(index, slice):
            return [_decode(packed) for packed in self._packed[index]]
        return _decode(self._packed[index])

    def __iter__(self) -> Iterator[Visit]:
        return map(_decode, self._packed)


@dataclass
class NetworkRun:
    """What is known of a network so far; `reason` says why it can't go on, `done` that it needs no further visit."""

    network: Network
    artifact: Artifact | None = None
    ran_on: dict[str, str | int] = field(default_factory=dict)
    clock: str = ""
    warmup_s: list[float] = field(default_factory=list)
    visits: Visits = field(default_factory=Visits)
    reason: str | None = None
    done: bool = False

    @property
    def name(self) -> str:
        """The network's name."""
        return self.network.name

    @property
    def sha256(self) -> str:
        """That of the network's file; "" before it has one."""
        return self.artifact.sha256 if self.artifact else ""

    def opened(self, entry: Opened) -> None:
        """Take note of a session that was loaded, the first or a later one."""
        self.artifact, self.ran_on, self.clock = entry.artifact, entry.ran_on, entry.clock
        self.warmup_s = self.warmup_s + entry.warmup_s

    def change_file(self, artifact: Artifact, earlier: "NetworkRun | None") -> "NetworkRun":
        """Go on with another file, from where an `earlier` run with that file ended, if there was one.

        Returns what was measured with the file before, with the reason why that went no further.
        """
        before = replace(self, reason=f"measured on with another file instead, sha256 {artifact.sha256[:12]}")
        now = earlier or NetworkRun(self.network)
        self.artifact, self.ran_on, self.clock = artifact, now.ran_on, now.clock
        self.warmup_s, self.visits = now.warmup_s, now.visits
        return before

    def measurement(self, visits: list[Visit], basis: Basis) -> Measurement:
        """What these visits of the network, at least one, come to."""
        return Measurement(clock=self.clock, ran_on=self.ran_on, warmup_s=self.warmup_s, visits=visits, basis=basis)


def network_of(model: Model) -> Network:
    """The model as records keep it; its sizes only where they are known without torch."""
    counted = known_counts(model)
    return Network(
        name=model.name,
        family=model.family,
        resolution_px=model.resolution_px,
        source=model.source,
        params=counted.params if counted else None,
        macs=counted.macs if counted else None,
        top1_percent=model.top1_percent,
    )
