"""Throughput: a latency's inverse, with its interval."""

from dataclasses import dataclass

from reports.cells import Latency


@dataclass(frozen=True)
class Rate:
    """A number a second, or another that a chart shows, with its 95 % interval; without one all three are equal."""

    value: float
    low: float
    high: float

    @property
    def has_interval(self) -> bool:
        """Whether anything is known of its error."""
        return self.low < self.high

    @property
    def half_width(self) -> float:
        """Half of the interval."""
        return (self.high - self.low) / 2


def rate_of(latency: Latency, each: float = 1.0) -> Rate:
    """`each` a second, for the latency of one image: 1 gives images, an image's pixels give pixels."""
    return Rate(*(each * 1e3 / ms for ms in (latency.ms, latency.high_ms, latency.low_ms)))
