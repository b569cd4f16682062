"""Speed-ups over a family of networks at equal accuracy, and the Pareto front of latency and accuracy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from reports.cells import Column, Latency, Report


@dataclass(frozen=True)
class Point:
    """One network: its latency and its ImageNet top-1 accuracy in percent."""

    name: str
    family: str
    top1_percent: float
    latency: Latency
    usable: bool = True
    verdict: str = ""
    sweep: str = ""


@dataclass(frozen=True)
class Speedup:
    """One network and the baseline family's latency at the same accuracy.

    `low` and `high` are the 95 % interval of the factor that another run would give; the errors of both latencies are
    taken as independent and log-normal. `one_sweep` is whether all its numbers are of one sweep, in which networks are
    visited in turn, so that what slowed the machine slowed them all.
    """

    subject: Point
    baseline: Latency
    usable: bool = True
    one_sweep: bool = True

    @property
    def factor(self) -> float:
        """The baseline's latency over the subject's; below 1 the subject is slower."""
        return self.baseline.ms / self.subject.latency.ms

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return self.factor * math.exp(-self._log_half_width)

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return self.factor * math.exp(self._log_half_width)

    @property
    def _log_half_width(self) -> float:
        if not (self.subject.latency.has_interval and self.baseline.has_interval):
            return 0.0
        return math.hypot(_log_half_width(self.subject.latency), _log_half_width(self.baseline))


def measured_points(report: Report, column: Column) -> list[Point]:
    """The measured networks whose accuracy is known."""
    points = []
    for network in report.networks:
        measured = column.cell(network).measured
        if measured is not None and network.top1_percent is not None:
            verdict = f"{measured.verdict}: {measured.detail}".removesuffix(": ")
            name, family, top1 = network.name, network.family, network.top1_percent
            points.append(Point(name, family, top1, measured.latency, measured.usable, verdict, measured.sweep))
    return points


def published_points(report: Report, column: Column) -> list[Point]:
    """The networks with a published latency on this target."""
    return [
        Point(network.name, network.family, network.top1_percent, cell.published)
        for network in report.networks
        if (cell := column.cell(network)).published and network.top1_percent is not None
    ]


def curve_at(points: Sequence[Point], top1_percent: float) -> Latency | None:
    """A family's latency at an accuracy, linear between its two neighbouring networks; None outside its range."""
    return _read(_around(points, top1_percent), top1_percent)


def _around(points: Sequence[Point], top1_percent: float) -> tuple[Point, ...]:
    """The fastest network of exactly this accuracy, else the nearest below and above; empty outside the range."""
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
    """The latency at `share` (0 to 1) of the way, its interval from the two independent errors, if both have one."""
    low_ms, high_ms = (1 - share) * low.ms, share * high.ms
    ms = low_ms + high_ms
    if not (low.has_interval and high.has_interval):
        return Latency.exactly(ms)
    half_width = math.hypot(low_ms * _log_half_width(low), high_ms * _log_half_width(high)) / ms
    return Latency(ms, ms * math.exp(-half_width), ms * math.exp(half_width))


def _log_half_width(latency: Latency) -> float:
    """Half the width of the interval of the latency's logarithm."""
    return math.log(latency.high_ms / latency.low_ms) / 2


def speedups(points: Sequence[Point], against: str | None) -> dict[str, Speedup]:
    """By name, the speed-up of each network outside the family `against` whose accuracy is within its range."""
    family = [point for point in points if point.family == against]
    found = {}
    for point in points:
        around = _around(family, point.top1_percent) if point.family != against else ()
        if (baseline := _read(around, point.top1_percent)) is not None:
            used = (point, *around)
            usable, sweeps = all(each.usable for each in used), {each.sweep for each in used}
            found[point.name] = Speedup(point, baseline, usable, len(sweeps) == 1)
    return found


def headline(points: Sequence[Point], against: str | None) -> Speedup | None:
    """The speed-up that a chart shows: of the most accurate comparable network, the faster one where two are equal."""
    candidates = speedups(points, against).values()
    return max(candidates, key=lambda each: (each.subject.top1_percent, -each.subject.latency.ms), default=None)


def pareto_front(points: Sequence[Point]) -> list[Point]:
    """The networks that no other is both faster and more accurate than, fastest first."""
    front: list[Point] = []
    for point in sorted(points, key=lambda point: (point.latency.ms, -point.top1_percent)):
        if not front or point.top1_percent > front[-1].top1_percent:
            front.append(point)
    return front
