"""`NetworkRun`: one network on one target while a sweep measures it."""

from dataclasses import dataclass, field

from bench.records.journal import Opened
from bench.records.record import Network
from bench.trust.measurement import Basis, Measurement
from bench.trust.visit import Visit
from exporters.artifact import Artifact
from models.counts import known_counts
from models.model import Model


@dataclass
class NetworkRun:
    """What is known of a network so far; `reason` says why it can't go on, `done` that it needs no further visit."""

    network: Network
    artifact: Artifact | None = None
    ran_on: dict[str, str | int] = field(default_factory=dict)
    clock: str = ""
    warmup_s: list[float] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    reason: str | None = None
    done: bool = False

    @property
    def name(self) -> str:
        """The network's name."""
        return self.network.name

    def opened(self, entry: Opened) -> None:
        """Take note of a session that was loaded, the first or a later one."""
        self.artifact, self.ran_on, self.clock = entry.artifact, entry.ran_on, entry.clock
        self.warmup_s = self.warmup_s + entry.warmup_s

    def measurement(self, basis: Basis) -> Measurement:
        """What was measured so far; at least one visit."""
        return Measurement(
            clock=self.clock, ran_on=self.ran_on, warmup_s=self.warmup_s, visits=list(self.visits), basis=basis
        )


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
