"""`NetworkRun`: one network on one target while a sweep measures it."""

import math
from dataclasses import dataclass, field

from bench.protocol import Protocol
from bench.records.journal import Opened
from bench.records.record import Measurement, Network
from bench.trust.rejection import Limits, Visit
from exporters.artifact import Artifact
from models.counts import known_counts
from models.model import Model


@dataclass
class NetworkRun:
    """What is known of a cell so far; `reason` says why it can't go on."""

    network: Network
    artifact: Artifact | None = None
    ran_on: dict[str, str | int] = field(default_factory=dict)
    clock: str = ""
    warmup_s: list[float] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    reason: str | None = None

    @property
    def name(self) -> str:
        """The network's name."""
        return self.network.name

    def opened(self, entry: Opened) -> None:
        """Take note of a session that was loaded, the first or a later one."""
        self.artifact, self.ran_on, self.clock = entry.artifact, entry.ran_on, entry.clock
        self.warmup_s = self.warmup_s + entry.warmup_s

    def measurement(self, limits: Limits) -> Measurement | None:
        """What was measured so far, if anything was."""
        if not self.visits:
            return None
        return Measurement(
            clock=self.clock, ran_on=self.ran_on, warmup_s=self.warmup_s, visits=list(self.visits), limits=limits
        )

    def sampling(self, protocol: Protocol, limits: Limits) -> float:
        """Half of its interval, relative, as far as more visits narrow it; infinite before enough of them count."""
        measurement = self.measurement(limits)
        if measurement is None or len(measurement.trusted) < protocol.min_visits:
            return math.inf
        return measurement.estimate.sampling

    def counted(self, limits: Limits) -> int:
        """How many of its visits count so far."""
        measurement = self.measurement(limits)
        return len(measurement.trusted) if measurement else 0

    def finished(self, protocol: Protocol, limits: Limits) -> bool:
        """Whether it needs no further visit."""
        if self.reason is not None or len(self.visits) >= protocol.max_visits:
            return True
        return self.sampling(protocol, limits) <= protocol.interval


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
