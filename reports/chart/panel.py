"""One panel of the chart: the latency and accuracy of a target's networks, and the arrow at equal accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.chart.axes import LATENCY_TITLE, set_axes
from reports.chart.labels import KEEP_CLEAR, Position, write
from reports.chart.strokes import CROSS, FRONT, GREY, MARKER_ALONE, MEASURED, PUBLISHED, TEXT
from reports.equal_accuracy import Point, Speedup, headline, pareto_front
from reports.looks import Look, series_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ARROW = "#dcdcdc"
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

    def drawn_looks(self) -> dict[str, Look]:
        """The looks of the families that have a point in the panel."""
        drawn = {point.family for point in (*self.measured, *self.published)}
        return {family: look for family, look in self.looks.items() if family in drawn}


def draw(axes: "Axes", panel: Panel) -> None:
    """Draw a panel into empty axes."""
    axes.set_title(panel.title, fontsize=11, fontweight="bold", pad=18, parse_math=False)
    axes.text(0.5, 1.025, panel.subtitle, transform=axes.transAxes, ha="center", fontsize=8, color=GREY)
    axes.set_xlabel(LATENCY_TITLE)
    axes.grid(color="#ececec", linewidth=0.6)
    axes.set_axisbelow(True)
    points = [*panel.measured, *panel.published]
    set_axes(axes, points, log=panel.log)
    front = pareto_front(panel.measured or panel.published)
    corners = _front(axes, front)
    _curves(axes, panel.published, panel, measured=False)
    _curves(axes, panel.measured, panel, measured=True)
    _arrow(axes, panel)
    shown = panel.measured or panel.published
    # The front first, then the slowest, which have the most room around them.
    labelled = sorted(shown, key=lambda point: (point not in front, -point.latency.ms))[:_MOST_LABELS]
    lines = [[at(point) for point in line] for line in lines_of(panel.measured, panel.labels)]
    lines += [[at(point) for point in line] for line in lines_of(panel.published, panel.labels)]
    spans = [
        [(point.latency.low_ms, point.top1_percent), (point.latency.high_ms, point.top1_percent)]
        for point in panel.measured
    ]
    write(axes, [(panel.labels[point.name], at(point)) for point in labelled], [*lines, *spans, corners])


def at(point: Point) -> Position:
    """The position of a network in the panel: milliseconds, percent."""
    return point.latency.ms, point.top1_percent


def lines_of(points: Sequence[Point], labels: dict[str, str]) -> list[list[Point]]:
    """The points that each line joins, by accuracy: networks of one family whose labels begin alike."""
    lines: dict[tuple[str, str], list[Point]] = {}
    for point in sorted(points, key=lambda point: (point.top1_percent, point.latency.ms)):
        lines.setdefault((point.family, series_of(labels[point.name])), []).append(point)
    return list(lines.values())


def _curves(axes: "Axes", points: Sequence[Point], panel: Panel, *, measured: bool) -> None:
    """Measured: solid lines and markers. Published: dashed and hollow."""
    for line in lines_of(points, panel.labels):
        look = panel.looks[line[0].family]
        x, y = [point.latency.ms for point in line], [point.top1_percent for point in line]
        axes.plot(x, y, color=look.colour, **(MEASURED if measured else PUBLISHED))
        face = look.colour if measured else "white"
        axes.plot(x, y, color=look.colour, markerfacecolor=face, marker=look.marker, zorder=3, **MARKER_ALONE)
    if measured:
        _intervals(axes, points)
        _crosses(axes, [point for point in points if not point.usable])


def _intervals(axes: "Axes", points: Sequence[Point]) -> None:
    """Error bars of the 95 % intervals, drawn under the markers."""
    errors = [
        [point.latency.ms - point.latency.low_ms for point in points],
        [point.latency.high_ms - point.latency.ms for point in points],
    ]
    x, y = [point.latency.ms for point in points], [point.top1_percent for point in points]
    axes.errorbar(x, y, xerr=errors, fmt="none", ecolor="#222222", elinewidth=1.1, capsize=2.5, zorder=2.5)


def _crosses(axes: "Axes", doubtful: Sequence[Point]) -> None:
    """A cross over each marker whose number is not usable."""
    x, y = [point.latency.ms for point in doubtful], [point.top1_percent for point in doubtful]
    axes.plot(x, y, zorder=5, **CROSS)


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


def arrow_text(speedup: Speedup) -> str:
    """The factor, its 95 % interval where there is one, and whether all numbers that it is from are stable."""
    text = f"{speedup.factor:.1f}x speed-up" if speedup.factor >= 1 else f"{speedup.factor:.2f}x: slower"
    if speedup.low != speedup.high:
        decimals = 1 if speedup.factor >= 1 and f"{speedup.low:.1f}" != f"{speedup.high:.1f}" else 2
        text += f" ({speedup.low:.{decimals}f} to {speedup.high:.{decimals}f})"
    return text if speedup.usable else f"{text}, not all usable"


def room_above(panel: Panel, speedup: Speedup) -> bool:
    """Whether no network above the arrow is within its latencies or left of them: its text can stand above it."""
    top1, reach_ms = speedup.subject.top1_percent, max(speedup.baseline.ms, speedup.subject.latency.ms)
    points = (*panel.measured, *panel.published)
    return not any(point.top1_percent > top1 and point.latency.ms < reach_ms for point in points)


def _arrow(axes: "Axes", panel: Panel) -> None:
    """The grey arrow from the baseline family's curve to the network, and its text."""
    measured, published = (headline(points, panel.against) for points in (panel.measured, panel.published))
    shown = measured or published
    if shown is None:
        return
    y, left_ms, right_ms = shown.subject.top1_percent, shown.subject.latency.ms, shown.baseline.ms
    style = {"arrowstyle": "simple,head_length=0.9,head_width=1.1,tail_width=0.55", "color": _ARROW, "shrinkA": 0}
    axes.annotate("", xy=(left_ms, y), xytext=(right_ms, y), arrowprops=style, zorder=0.5, gid=KEEP_CLEAR)
    axes.plot([right_ms], [y], marker="|", markersize=11, markeredgewidth=1.6, color=GREY, zorder=2)
    text = arrow_text(shown)
    if measured and published:
        text += f"; published {published.factor:.1f}x"
    _write(axes, text, (left_ms, right_ms), y, above=room_above(panel, shown))


def _write(axes: "Axes", text: str, span_ms: tuple[float, float], y: float, *, above: bool) -> None:
    """Centre the text above or below the arrow, which goes from the second to the first of `span_ms`; within the panel.

    Above an arrow to the right (a slower network) there is the baseline family's curve: the text ends at its left.
    """
    pixels = axes.figure.dpi / 72
    start, end = (axes.transData.transform((ms, y))[0] for ms in sorted(span_ms))
    anchor = "bottom" if above else "top"
    written = axes.text(0, 0, text, va=anchor, fontsize=9, color=TEXT, gid=KEEP_CLEAR, zorder=6)
    written.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6})
    width = written.get_window_extent().width
    frame = axes.get_window_extent()
    left = (start + end - width) / 2
    if width > end - start:  # wider than the arrow: above it to the left, where there is room, below it to the right
        left = end - width if above else start
    if above and span_ms[0] > span_ms[1]:
        left = start - width
    left = min(max(left, frame.x0 + 4 * pixels), frame.x1 - 4 * pixels - width)
    level = axes.transData.transform((end, y))[1] + (7 if above else -7) * pixels
    at_x, at_y = axes.transData.inverted().transform((left, level))
    written.set_position((float(at_x), float(at_y)))
