"""The arrow at equal accuracy: from the baseline family's curve to a network, with the factor."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from reports.chart.labels import KEEP_CLEAR, Box
from reports.chart.strokes import GREY, TEXT
from reports.equal_accuracy import Speedup, headline
from reports.points import Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ARROW = "#dcdcdc"
_MEASURED = "by measured accuracy"
# How far the text may be moved away from the arrow, in heights of itself.
_MOST_STEPS = 8


def arrow_text(speedup: Speedup) -> str:
    """The factor, its 95 % interval where there is one, whether all its numbers are stable, and by which accuracy."""
    if speedup.low < 1 < speedup.high:  # its interval doesn't say which of the two is faster
        text = f"{speedup.factor:.2f}x: no difference found"
    else:
        text = f"{speedup.factor:.1f}x speed-up" if speedup.factor >= 1 else f"{speedup.factor:.2f}x: slower"
    if speedup.low != speedup.high:
        decimals = 1 if speedup.low >= 1 and f"{speedup.low:.1f}" != f"{speedup.high:.1f}" else 2
        text += f" ({speedup.low:.{decimals}f} to {speedup.high:.{decimals}f})"
    text += "" if speedup.usable else ", not all usable"
    return f"{text}, {_MEASURED}" if speedup.subject.accuracy else text


def room_above(points: Sequence[Point], speedup: Speedup) -> bool:
    """Whether no network above the arrow is within its latencies or left of them: its text can stand above it."""
    top1, reach_ms = speedup.subject.top1_percent, max(speedup.baseline.ms, speedup.subject.latency.ms)
    return not any(point.top1_percent > top1 and point.latency.ms < reach_ms for point in points)


def draw_arrow(axes: "Axes", measured: Sequence[Point], published: Sequence[Point], against: str | None) -> None:
    """The grey arrow from the baseline family's curve to the network, and its text; none without a speed-up."""
    faster, printed = (headline(points, against) for points in (measured, published))
    shown = faster or printed
    if shown is None:
        return
    y, left_ms, right_ms = shown.subject.top1_percent, shown.subject.latency.ms, shown.baseline.ms
    style = {"arrowstyle": "simple,head_length=0.9,head_width=1.1,tail_width=0.55", "color": _ARROW, "shrinkA": 0}
    axes.annotate("", xy=(left_ms, y), xytext=(right_ms, y), arrowprops=style, zorder=0.5, gid=KEEP_CLEAR)
    axes.plot([right_ms], [y], marker="|", markersize=11, markeredgewidth=1.6, color=GREY, zorder=2)
    text = arrow_text(shown).replace(f", {_MEASURED}", f"\n{_MEASURED}")  # a panel is too narrow for all in one line
    if faster and printed:
        text += f"; published {printed.factor:.1f}x"
    points = [*measured, *published]
    taken = [_room(axes, point) for point in points]
    _write(axes, text, (left_ms, right_ms), y, above=room_above(points, shown), taken=taken)


def _room(axes: "Axes", point: Point) -> Box:
    """The room in pixels of a marker and of the bar of a measured accuracy."""
    low, high = point.top1_range
    x, bottom = axes.transData.transform((point.latency.ms, low))
    top = axes.transData.transform((point.latency.ms, high))[1]
    around = 5 * axes.figure.dpi / 72
    return Box(float(x) - around, float(bottom) - around, float(x) + around, float(top) + around)


def _write(
    axes: "Axes", text: str, span_ms: tuple[float, float], y: float, *, above: bool, taken: Sequence[Box]
) -> None:
    """Write the text beside the arrow, which goes from the second to the first of `span_ms`; within the panel.

    It stands at the nearest place that is free of what is `taken`, or, where there is none, beside the arrow.
    """
    pixels = axes.figure.dpi / 72
    start, end = (float(axes.transData.transform((ms, y))[0]) for ms in sorted(span_ms))
    level = float(axes.transData.transform((span_ms[0], y))[1])
    written = axes.text(0, 0, text, fontsize=9, color=TEXT, gid=KEEP_CLEAR, zorder=6)
    written.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6})
    size = written.get_window_extent()
    frame, margin = Box(*axes.get_window_extent().extents), 4 * pixels
    lefts = _lefts(start, end, size.width, above=above, backwards=span_ms[0] > span_ms[1], gap=8 * pixels)
    places = [
        _Place(min(max(left, frame.left + margin), frame.right - margin - size.width), up, step)
        for step in range(_MOST_STEPS)
        for left, up in lefts
    ]

    def edge(place: _Place) -> float:
        """The edge of the text that is nearest to the arrow."""
        return level + (1 if place.up else -1) * (7 * pixels + place.step * size.height)

    def is_free(place: _Place) -> bool:
        bottom = edge(place) - (0 if place.up else size.height)
        box = Box(place.left, bottom, place.left + size.width, bottom + size.height)
        return box.inside(frame) and not any(box.overlaps(other) for other in taken)

    place = next(filter(is_free, places), places[0])
    written.set_verticalalignment("bottom" if place.up else "top")
    at_x, at_y = axes.transData.inverted().transform((place.left, edge(place)))
    written.set_position((float(at_x), float(at_y)))


class _Place(NamedTuple):
    """A place for the text: its left end in pixels, whether it is above the arrow, and how many heights away."""

    left: float
    up: bool
    step: int


def _lefts(
    start: float, end: float, width: float, *, above: bool, backwards: bool, gap: float
) -> list[tuple[float, bool]]:
    """Left ends in pixels at which the text may begin above (True) or below the arrow, the best first.

    Above an arrow to the right (a slower network) there is the baseline family's curve: the text ends at its left.
    """
    found = []
    for up in (above, not above):
        if up and backwards:
            best = start - width
        elif width <= end - start:
            best = (start + end - width) / 2
        else:  # wider than the arrow: above it to the left, where there is room, below it to the right
            best = end - width if up else start
        found += [(left, up) for left in (best, start + gap, start - gap - width, end - gap - width, end + gap)]
    return found
