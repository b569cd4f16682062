"""The strip below a panel: networks of no known accuracy, at their latencies."""

from typing import TYPE_CHECKING

from reports.chart.axes import strip_below
from reports.chart.labels import Position
from reports.chart.strokes import CROSS, GREY, INTERVAL, UNRATED, scaled
from reports.points import Unrated

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from reports.chart.panel import Panel


def draw_strip(axes: "Axes", panel: "Panel") -> dict[str, Position]:
    """Draw the networks of no known accuracy and the rule above them; the positions of all, by name."""
    if not panel.unrated:
        return {}
    strip = strip_below([*panel.measured, *panel.published])
    axes.axhspan(strip.bottom, strip.top, color="#f5f5f5", zorder=0)
    axes.axhline(strip.top, color=GREY, linewidth=0.6, zorder=1)
    for point in panel.unrated:
        _draw(axes, point, panel, strip.middle)
    return {point.name: (point.latency.ms, strip.middle) for point in panel.unrated}


def _draw(axes: "Axes", point: Unrated, panel: "Panel", level: float) -> None:
    latency, look = point.latency, panel.looks[point.family]
    axes.plot([latency.ms], [level], color=look.colour, marker=look.marker, **scaled(UNRATED, panel.networks))
    errors = [[latency.ms - latency.low_ms], [latency.high_ms - latency.ms]]
    axes.errorbar([latency.ms], [level], xerr=errors, **scaled(INTERVAL, panel.networks))
    if not point.usable:
        axes.plot([latency.ms], [level], zorder=5, **scaled(CROSS, panel.networks))
