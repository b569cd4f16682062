"""One panel of the chart: the latency and accuracy of a target's networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.model import NO_FAMILY
from reports.chart.arrow import draw_arrow
from reports.chart.axes import LATENCY_TITLE, set_axes
from reports.chart.labels import Position, Text, write
from reports.chart.strip import draw_strip
from reports.chart.strokes import (
    CROSS,
    EVALUATED,
    FRONT,
    GREY,
    INTERVAL,
    MARKER_ALONE,
    MEASURED,
    PUBLISHED,
    crowded,
    scaled,
)
from reports.equal_accuracy import pareto_front
from reports.looks import Look, series_of
from reports.points import Point, Unrated

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More labels than this can't be read, and the time to place them grows with their square.
_MOST_LABELS = 40


@dataclass(frozen=True)
class Panel:
    """What one panel shows; `looks` are by family, `labels` are short names by network."""

    target: str
    title: str
    subtitle: str
    measured: Sequence[Point]
    published: Sequence[Point]
    looks: dict[str, Look]
    labels: dict[str, str]
    against: str | None
    log: bool = False
    unrated: Sequence[Unrated] = ()

    @property
    def networks(self) -> int:
        """How many networks the panel shows."""
        return len({point.name for point in self._points})

    @property
    def _points(self) -> list[Point | Unrated]:
        return [*self.measured, *self.published, *self.unrated]

    def drawn_looks(self) -> dict[str, Look]:
        """The looks of the families that have a point in the panel."""
        drawn = {point.family for point in self._points}
        return {family: look for family, look in self.looks.items() if family in drawn}


def prepare(axes: "Axes", panel: Panel) -> None:
    """Give empty axes everything that takes room beside them: title, subtitle, ranges and ticks."""
    axes.set_title(panel.title, fontsize=11, fontweight="bold", pad=18, parse_math=False)
    axes.text(0.5, 1.025, panel.subtitle, transform=axes.transAxes, ha="center", fontsize=8, color=GREY)
    axes.set_xlabel(LATENCY_TITLE)
    axes.grid(color="#ececec", linewidth=0.6)
    axes.set_axisbelow(True)
    set_axes(axes, [*panel.measured, *panel.published], panel.unrated, log=panel.log)


def draw(axes: "Axes", panel: Panel) -> None:
    """Draw a panel into axes that are prepared and have their final size: labels are placed in pixels."""
    below = draw_strip(axes, panel)
    front = pareto_front(panel.measured or panel.published)
    corners = _front(axes, front)
    _curves(axes, panel.published, panel, measured=False)
    _curves(axes, panel.measured, panel, measured=True)
    draw_arrow(axes, panel.measured, panel.published, panel.against)
    texts = _texts(panel, front)
    texts += [Text(panel.labels[name], position) for name, position in list(below.items())[:_MOST_LABELS]]
    lines = [[at(point) for point in line] for line in lines_of(panel.measured, panel.labels)]
    lines += [[at(point) for point in line] for line in lines_of(panel.published, panel.labels)]
    spans = [span for point in panel.measured for span in _spans(point)]
    bars = {at(point): point.top1_range for point in panel.measured if point.accuracy}
    lines += [[position] for position in below.values()]
    many = crowded(panel.networks)  # labels may then cover the dotted line of the front
    write(axes, texts, [*lines, *spans, *([] if many else [corners])], bars, far=many)


def _texts(panel: Panel, front: Sequence[Point]) -> list[Text]:
    """The labels and their positions, the most important first.

    The front first, then the slowest, which have the most room around them. In a crowded panel: the most accurate of
    each line, by its whole name, then the front, in the colours of their families.
    """
    shown = panel.measured or panel.published
    if not crowded(panel.networks):
        labelled = sorted(shown, key=lambda point: (point not in front, -point.latency.ms))[:_MOST_LABELS]
        return [Text(panel.labels[point.name], at(point)) for point in labelled]
    ends = [line[-1] for line in lines_of(shown, panel.labels)]
    whole = {point.name: point.name for point in ends if point.name.startswith(point.family)}
    return [
        Text(whole.get(point.name, panel.labels[point.name]), at(point), panel.looks[point.family].colour)
        for point in list(dict.fromkeys([*ends, *front]))[:_MOST_LABELS]
    ]


def at(point: Point) -> Position:
    """The position of a network in the panel: milliseconds, percent."""
    return point.latency.ms, point.top1_percent


def _spans(point: Point) -> list[list[Position]]:
    """The bars of a point's intervals: of its latency, and of its accuracy where that is measured."""
    low, high = point.top1_range
    bars = [[(point.latency.low_ms, point.top1_percent), (point.latency.high_ms, point.top1_percent)]]
    return [*bars, [(point.latency.ms, low), (point.latency.ms, high)]] if point.accuracy else bars


def lines_of(points: Sequence[Point], labels: dict[str, str]) -> list[list[Point]]:
    """The points that each line joins, by accuracy: networks of one family whose labels begin alike.

    Accuracies of one line are of one kind: published, or measured on the same images.
    """
    lines: dict[tuple[str, str, str], list[Point]] = {}
    for point in sorted(points, key=lambda point: (point.top1_percent, point.latency.ms)):
        label = labels[point.name]
        series = series_of(label) or (label if point.family == NO_FAMILY else "")
        lines.setdefault((point.family, series, point.sample), []).append(point)
    return list(lines.values())


def _curves(axes: "Axes", points: Sequence[Point], panel: Panel, *, measured: bool) -> None:
    """Measured: solid lines and markers, with a dark edge where the accuracy is too. Published: dashed and hollow."""
    for line in lines_of(points, panel.labels):
        look = panel.looks[line[0].family]
        x, y = [point.latency.ms for point in line], [point.top1_percent for point in line]
        axes.plot(x, y, color=look.colour, **scaled(MEASURED if measured else PUBLISHED, panel.networks))
        face = look.colour if measured else "white"
        marker = MARKER_ALONE | (EVALUATED if line[0].accuracy else {})
        marker = scaled(marker, panel.networks)
        axes.plot(x, y, color=look.colour, markerfacecolor=face, marker=look.marker, zorder=3, **marker)
    if measured:
        _intervals(axes, points, panel.networks)
        _crosses(axes, [point for point in points if not point.usable], panel.networks)


def _intervals(axes: "Axes", points: Sequence[Point], networks: int) -> None:
    """Error bars of the 95 % intervals, drawn under the markers."""
    errors = [
        [point.latency.ms - point.latency.low_ms for point in points],
        [point.latency.high_ms - point.latency.ms for point in points],
    ]
    x, y = [point.latency.ms for point in points], [point.top1_percent for point in points]
    bar = scaled(INTERVAL, networks)
    axes.errorbar(x, y, xerr=errors, **bar)
    evaluated = [point for point in points if point.accuracy]
    ranges = [point.top1_range for point in evaluated]
    x, y = [point.latency.ms for point in evaluated], [point.top1_percent for point in evaluated]
    errors = [
        [at - low for at, (low, _) in zip(y, ranges, strict=True)],
        [high - at for at, (_, high) in zip(y, ranges, strict=True)],
    ]
    if evaluated:
        axes.errorbar(x, y, yerr=errors, **bar)


def _crosses(axes: "Axes", doubtful: Sequence[Point], networks: int) -> None:
    """A cross over each marker whose number is not usable."""
    x, y = [point.latency.ms for point in doubtful], [point.top1_percent for point in doubtful]
    axes.plot(x, y, zorder=5, **scaled(CROSS, networks))


def _front(axes: "Axes", front: Sequence[Point]) -> list[Position]:
    """Draw the Pareto front as a staircase; returns its corners."""
    right = axes.get_xlim()[1]
    corners: list[Position] = []
    for number, point in enumerate(front):
        end = front[number + 1].latency.ms if number + 1 < len(front) else right
        corners += [(point.latency.ms, point.top1_percent), (end, point.top1_percent)]
    x, y = [corner[0] for corner in corners], [corner[1] for corner in corners]
    axes.plot(x, y, zorder=1, **FRONT)
    return corners
