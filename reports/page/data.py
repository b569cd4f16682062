"""What the page's script draws: the panels of the chart as plain data."""

from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from reports.chart.limits import accuracy_range
from reports.chart.panel import Panel, lines_of, room_above, words
from reports.equal_accuracy import Point, Speedup, headline, speedups
from reports.table.sheet import with_interval

# Each panel takes about a tenth of a second to draw; the others are drawn when they are switched on.
_FIRST_PANELS = 4


def page_data(panels: Sequence[Panel]) -> dict[str, Any]:
    """Everything that page.js reads; hover texts are ready, since their words are the report's."""
    families: dict[str, dict[str, str]] = {}
    for panel in panels:
        drawn = {point.family for point in (*panel.measured, *panel.published)}
        families |= {name: {"name": name, **asdict(look)} for name, look in panel.looks.items() if name in drawn}
    measured_first = sorted(panels, key=lambda panel: not panel.measured)
    return {
        "families": list(families.values()),
        "first_targets": [panel.target for panel in measured_first[:_FIRST_PANELS]],
        "log": any(panel.log for panel in panels),
        "panels": [_panel(number, panel) for number, panel in enumerate(panels)],
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    return {
        "id": number,
        "target": panel.target,
        "title": panel.title,
        "subtitle": panel.subtitle,
        "series": [*_series(panel, measured=False), *_series(panel, measured=True)],
        "accuracy_range": accuracy_range([*panel.measured, *panel.published]),
        "headline": _headline(panel),
    }


def _series(panel: Panel, *, measured: bool) -> list[dict[str, Any]]:
    points = panel.measured if measured else panel.published
    faster = speedups(points, panel.against)
    return [
        {
            "family": line[0].family,
            "measured": measured,
            "points": [_point(point, panel, faster.get(point.name), measured=measured) for point in line],
        }
        for line in lines_of(points, panel.labels)
    ]


def _point(point: Point, panel: Panel, faster: Speedup | None, *, measured: bool) -> dict[str, Any]:
    latency = f"{with_interval(point.latency)} ms" if measured else f"{point.latency.ms:g} ms, published"
    texts = [f"<b>{escape(point.name)}</b>", f"{latency}, top-1 {point.top1_percent:g} %"]
    if measured:
        texts.append(escape(point.verdict))
    if faster:
        texts.append(escape(f"against {panel.against} at equal accuracy: {words(faster)}"))
    return {
        "ms": point.latency.ms,
        "low_ms": point.latency.low_ms,
        "high_ms": point.latency.high_ms,
        "top1": point.top1_percent,
        "trusted": point.trusted,
        "hover": "<br>".join(texts),
    }


def _headline(panel: Panel) -> dict[str, Any] | None:
    measured = headline(panel.measured, panel.against)
    shown = measured or headline(panel.published, panel.against)
    if shown is None:
        return None
    return {
        "family": shown.subject.family,
        "against": panel.against,
        "published": measured is None,
        "ms": shown.subject.latency.ms,
        "baseline_ms": shown.baseline.ms,
        "top1": shown.subject.top1_percent,
        "words": words(shown),
        "above": room_above(panel, shown),
    }
