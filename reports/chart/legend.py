"""The legend below all panels: the families, then what solid, dark-edged, hollow and dotted mean."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reports.chart.panel import Panel
from reports.chart.strokes import (
    CROSS,
    EVALUATED,
    FRONT,
    GREY,
    INTERVAL,
    MARKER,
    MARKER_ALONE,
    MEASURED,
    PUBLISHED,
    Properties,
)
from reports.points import Point
from system.errors import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GREY: Properties = {"color": GREY, "marker": "o"}


def add_legend(figure: "Figure", shown: Sequence[Panel]) -> None:
    """Put the legend below the panels of a figure."""
    entries = _families(shown) | _marks(shown)
    rows = math.ceil(len(entries) / max(2, int(figure.get_figwidth() / 1.7)))
    columns = math.ceil(len(entries) / rows)
    # matplotlib leaves out labels that begin with an underscore, so each gets its text afterwards.
    handles, numbers = list(entries.values()), list(map(str, range(len(entries))))
    legend = figure.legend(handles, numbers, loc="outside lower center", ncols=columns, frameon=False, fontsize=9)
    for text, label in zip(legend.get_texts(), entries, strict=True):
        text.set_parse_math(False)
        text.set_text(one_line(label, 40))


def _families(shown: Sequence[Panel]) -> dict[str, Any]:
    from matplotlib.lines import Line2D

    used = {family: look for panel in shown for family, look in panel.drawn_looks().items()}
    return {
        family: Line2D([], [], color=look.colour, marker=look.marker, **MARKER | MEASURED)
        for family, look in used.items()
    }


def _marks(shown: Sequence[Panel]) -> dict[str, Any]:
    """What is drawn in any panel, by label: a line, or several over each other."""
    from matplotlib.lines import Line2D

    measured = [point for panel in shown for point in panel.measured]
    evaluated = [point for point in measured if point.accuracy]
    entries: dict[str, Any] = {}
    if len(measured) > len(evaluated):
        label = "latency measured, accuracy published" if evaluated else "measured, 95 % interval"
        entries[label] = Line2D([], [], **_GREY | MARKER | MEASURED)
    if evaluated:
        bar = Line2D([], [], linestyle="none", marker="|", markersize=15, color=INTERVAL["ecolor"])
        entries[_sample(evaluated)] = (bar, Line2D([], [], **_GREY | MARKER | MEASURED | EVALUATED))
    in_strip = [point for panel in shown for point in panel.unrated]
    if not (all(point.usable for point in measured) and all(point.usable for point in in_strip)):
        entries["not usable"] = (Line2D([], [], **_GREY | MARKER_ALONE), Line2D([], [], **CROSS))
    if any(panel.published for panel in shown):
        entries["published"] = Line2D([], [], markerfacecolor="white", **_GREY | MARKER | PUBLISHED)
    entries["Pareto front"] = Line2D([], [], **FRONT)
    return entries


def _sample(evaluated: Sequence[Point]) -> str:
    """On how many images the accuracies of the points were measured."""
    counts = [point.images for point in evaluated]
    low, high = min(counts), max(counts)
    return f"both measured, on {f'{low:,}' if low == high else f'{low:,}–{high:,}'} images"
