"""How much faster one network is than a family of others AT EQUAL ACCURACY, and which networks nothing beats."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from reports.cells import Column, Latency, Report


@dataclass(frozen=True)
class Point:
    """One network in the plane of latency and accuracy."""

    name: str
    family: str
    top1_percent: float
    latency: Latency
    trusted: bool = True
    verdict: str = ""


@dataclass(frozen=True)
class Speedup:
    """`subject` against the other family's curve, read at the subject's accuracy; low and high are the 95 % interval
    for the factor that another run would give, from the intervals of both, whose errors are independent."""

    subject: Point
    baseline: Latency
    trusted: bool = True

    @property
    def factor(self) -> float:
        """How many times faster; below 1 is slower."""
        return self.baseline.ms / self.subject.latency.ms

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return self.factor * math.exp(-self._reach)

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return self.factor * math.exp(self._reach)

    @property
    def _reach(self) -> float:
        return math.hypot(_reach(self.subject.latency), _reach(self.baseline))


def measured_points(report: Report, column: Column) -> list[Point]:
    """The measured networks whose accuracy is known."""
    points = []
    for network in report.networks:
        measured = column.cell(network).measured
        if measured is not None and network.top1_percent is not None:
            verdict = f"{measured.verdict}: {measured.detail}".removesuffix(": ")
            name, family, top1 = network.name, network.family, network.top1_percent
            points.append(Point(name, family, top1, measured.latency, measured.trusted, verdict))
    return points


def published_points(report: Report, column: Column) -> list[Point]:
    """The networks with a printed latency here."""
    return [
        Point(network.name, network.family, network.top1_percent, cell.published)
        for network in report.networks
        if (cell := column.cell(network)).published and network.top1_percent is not None
    ]


def curve_at(points: Sequence[Point], top1_percent: float) -> Latency | None:
    """A family's latency at an accuracy, linear between the two networks around it; None outside its range."""
    return _read(_around(points, top1_percent), top1_percent)


def _around(points: Sequence[Point], top1_percent: float) -> tuple[Point, ...]:
    """The network of an accuracy, the fastest of equals, or the two around it; none outside the range."""
    fastest: dict[float, Point] = {}
    for point in sorted(points, key=lambda point: -point.latency.ms):
        fastest[point.top1_percent] = point
    if top1_percent in fastest:
        return (fastest[top1_percent],)
    for below, above in pairwise(sorted(fastest.values(), key=lambda point: point.top1_percent)):
        if below.top1_percent < top1_percent < above.top1_percent:
            return below, above
    return ()


def _read(around: Sequence[Point], top1_percent: float) -> Latency | None:
    if len(around) < 2:
        return around[0].latency if around else None
    below, above = around
    share = (top1_percent - below.top1_percent) / (above.top1_percent - below.top1_percent)
    return _between(below.latency, above.latency, share)


def _between(low: Latency, high: Latency, share: float) -> Latency:
    """The latency at a share of the way, with the interval that two independent errors leave it."""
    low_ms, high_ms = (1 - share) * low.ms, share * high.ms
    ms = low_ms + high_ms
    reach = math.hypot(low_ms * _reach(low), high_ms * _reach(high)) / ms
    return Latency(ms, ms * math.exp(-reach), ms * math.exp(reach))


def _reach(latency: Latency) -> float:
    """How far the interval reaches on the scale of logarithms; of an uneven one, such as a range, half its width."""
    return math.log(latency.high_ms / latency.low_ms) / 2


def speedups(points: Sequence[Point], against: str | None) -> dict[str, Speedup]:
    """Every network outside the family `against` whose accuracy its curve reaches, by name."""
    family = [point for point in points if point.family == against]
    found = {}
    for point in points:
        around = _around(family, point.top1_percent) if point.family != against else ()
        if (baseline := _read(around, point.top1_percent)) is not None:
            found[point.name] = Speedup(point, baseline, all(each.trusted for each in (point, *around)))
    return found


def headline(points: Sequence[Point], against: str | None) -> Speedup | None:
    """The one that a chart shows: the most accurate network that can be compared, the faster of equals."""
    candidates = speedups(points, against).values()
    return max(candidates, key=lambda each: (each.subject.top1_percent, -each.subject.latency.ms), default=None)


def pareto_front(points: Sequence[Point]) -> list[Point]:
    """The networks that no other beats in both latency and accuracy, fastest first."""
    front: list[Point] = []
    for point in sorted(points, key=lambda point: (point.latency.ms, -point.top1_percent)):
        if not front or point.top1_percent > front[-1].top1_percent:
            front.append(point)
    return front
