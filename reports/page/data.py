"""The data that the page's script draws: the panels of the chart, as JSON objects."""

from collections.abc import Sequence
from html import escape

import msgspec

from reports.chart.axes import ACCURACY_TITLE, LATENCY_TITLE, accuracy_range, latency_range
from reports.chart.panel import Panel, arrow_text, lines_of, room_above
from reports.equal_accuracy import Point, Speedup, headline, speedups
from reports.table.sheet import with_interval

# Each panel takes about 0.1 s to draw; the others are drawn when they are switched on.
_FIRST_PANELS = 4


class FamilyData(msgspec.Struct, frozen=True, kw_only=True):
    """A family's colour (#rrggbb) and plotly's name of its marker."""

    name: str
    colour: str
    symbol: str


class PointData(msgspec.Struct, frozen=True, kw_only=True):
    """One network; `hover` is markup, `top1` is percent."""

    ms: float
    low_ms: float
    high_ms: float
    top1: float
    usable: bool
    hover: str


class SeriesData(msgspec.Struct, frozen=True, kw_only=True):
    """The networks that one line joins."""

    family: str
    measured: bool
    points: list[PointData]


class ArrowData(msgspec.Struct, frozen=True, kw_only=True):
    """The arrow at equal accuracy, from the baseline's latency to the network's; `above` is where its text stands."""

    family: str
    against: str | None
    published: bool
    ms: float
    baseline_ms: float
    top1: float
    text: str
    above: bool


class PanelData(msgspec.Struct, frozen=True, kw_only=True):
    """One panel; the ranges are of its axes, in milliseconds and percent."""

    id: int
    target: str
    title: str
    subtitle: str
    series: list[SeriesData]
    latency_range: tuple[float, float]
    log_latency_range: tuple[float, float]
    accuracy_range: tuple[float, float]
    arrow: ArrowData | None


class PageData(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the scripts read."""

    families: list[FamilyData]
    first_targets: list[str]
    log: bool
    latency_title: str = LATENCY_TITLE
    accuracy_title: str = ACCURACY_TITLE
    panels: list[PanelData]


def page_data(panels: Sequence[Panel]) -> PageData:
    """The panels and the families that are drawn in them."""
    families: dict[str, FamilyData] = {}
    for panel in panels:
        for name, look in panel.drawn_looks().items():
            families.setdefault(name, FamilyData(name=name, colour=look.colour, symbol=look.symbol))
    measured_first = sorted(panels, key=lambda panel: not panel.measured)
    return PageData(
        families=list(families.values()),
        first_targets=[panel.target for panel in measured_first[:_FIRST_PANELS]],
        log=any(panel.log for panel in panels),
        panels=[_panel(number, panel) for number, panel in enumerate(panels)],
    )


def _panel(number: int, panel: Panel) -> PanelData:
    points = [*panel.measured, *panel.published]
    return PanelData(
        id=number,
        target=panel.target,
        title=panel.title,
        subtitle=panel.subtitle,
        series=[*_series(panel, measured=False), *_series(panel, measured=True)],
        latency_range=latency_range(points, log=False),
        log_latency_range=latency_range(points, log=True),
        accuracy_range=accuracy_range(points),
        arrow=_arrow(panel),
    )


def _series(panel: Panel, *, measured: bool) -> list[SeriesData]:
    points = panel.measured if measured else panel.published
    faster = speedups(points, panel.against)
    return [
        SeriesData(
            family=line[0].family,
            measured=measured,
            points=[_point(point, panel, faster.get(point.name), measured=measured) for point in line],
        )
        for line in lines_of(points, panel.labels)
    ]


def _point(point: Point, panel: Panel, faster: Speedup | None, *, measured: bool) -> PointData:
    latency = f"{with_interval(point.latency)} ms" if measured else f"{point.latency.ms:g} ms, published"
    texts = [f"<b>{escape(point.name)}</b>", f"{latency}, top-1 {point.top1_percent:g} %"]
    if measured:
        texts.append(escape(point.verdict))
    if faster:
        texts.append(escape(f"against {panel.against} at equal accuracy: {arrow_text(faster)}"))
    return PointData(
        ms=point.latency.ms,
        low_ms=point.latency.low_ms,
        high_ms=point.latency.high_ms,
        top1=point.top1_percent,
        usable=point.usable,
        hover="<br>".join(texts),
    )


def _arrow(panel: Panel) -> ArrowData | None:
    measured = headline(panel.measured, panel.against)
    shown = measured or headline(panel.published, panel.against)
    if shown is None:
        return None
    return ArrowData(
        family=shown.subject.family,
        against=panel.against,
        published=measured is None,
        ms=shown.subject.latency.ms,
        baseline_ms=shown.baseline.ms,
        top1=shown.subject.top1_percent,
        text=arrow_text(shown),
        above=room_above(panel, shown),
    )
