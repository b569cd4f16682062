"""Speed-ups over a family of networks at equal accuracy, and the Pareto front of latency and accuracy.

Accuracies are equal only where they are of one kind: published ones, or ones measured on the same images.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from reports.cells import Latency
from reports.points import Point, by_kind


@dataclass(frozen=True)
class Speedup:
    """One network and the baseline family's latency at the same accuracy.

    `low` and `high` are the 95 % interval of the factor that another run would give; the errors of both latencies and
    of a measured accuracy are taken as independent and log-normal. `accuracy_error` is half the width of the interval
    of the logarithm of the baseline's latency for the interval of the accuracy, 0 where that is published. `one_sweep`
    is whether all its numbers are of one sweep, in which networks are visited in turn, so that what slowed the machine
    slowed them all.
    """

    subject: Point
    baseline: Latency
    usable: bool = True
    one_sweep: bool = True
    accuracy_error: float = 0.0

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
        errors = (_log_half_width(self.subject.latency), _log_half_width(self.baseline), self.accuracy_error)
        return math.hypot(*errors)


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
    """By name, the speed-up of each network outside the family `against` whose accuracy is within its range.

    The family's networks count whose accuracy is of the same kind; of a measured accuracy the whole interval has to be
    within the range, since a sample of a hundred images can't tell which accuracies are equal.
    """
    families = {kind: [each for each in alike if each.family == against] for kind, alike in by_kind(points).items()}
    found = {}
    for point in points:
        family = families[point.sample]
        around = _around(family, point.top1_percent) if point.family != against else ()
        error = _accuracy_error(family, point) if around else None
        if error is not None and (baseline := _read(around, point.top1_percent)) is not None:
            used = (point, *around)
            usable, sweeps = all(each.usable for each in used), {each.sweep for each in used}
            found[point.name] = Speedup(point, baseline, usable, len(sweeps) == 1, error)
    return found


def _accuracy_error(family: Sequence[Point], point: Point) -> float | None:
    """Half the width of the logarithm of the family's latencies within the interval of an accuracy; 0 of a published
    one, None where the interval leaves the family's range.

    The family's own accuracies are measured on the same images: the error of a difference of two is then about that
    of one.
    """
    if point.accuracy is None:
        return 0.0
    low, high = point.top1_range
    ends = [curve_at(family, low), curve_at(family, high)]
    within = [each.latency.ms for each in family if low < each.top1_percent < high]
    found = [*within, *(end.ms for end in ends if end)]
    return math.log(max(found) / min(found)) / 2 if all(ends) else None


def headline(points: Sequence[Point], against: str | None) -> Speedup | None:
    """The speed-up that a chart shows: by a measured accuracy where there is one, of the most accurate comparable
    network, the faster one where two are equal.
    """

    def rank(speedup: Speedup) -> tuple[int, float, float]:
        point = speedup.subject
        return point.images, point.top1_percent, -point.latency.ms

    return max(speedups(points, against).values(), key=rank, default=None)


def pareto_front(points: Sequence[Point]) -> list[Point]:
    """The networks that no other is both faster and more accurate than, fastest first.

    Of networks whose accuracies are of several kinds, those of the most frequent kind.
    """
    front: list[Point] = []
    alike = max(by_kind(points).values(), key=len, default=[])
    for point in sorted(alike, key=lambda point: (point.latency.ms, -point.top1_percent)):
        if not front or point.top1_percent > front[-1].top1_percent:
            front.append(point)
    return front
