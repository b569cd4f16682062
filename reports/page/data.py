"""The data that the page's script draws: the panels of the chart, as JSON objects."""

from collections.abc import Sequence
from html import escape

from models.zoo import zoo
from reports.chart.arrow import arrow_text, room_above
from reports.chart.axes import accuracy_range, accuracy_title, latency_range, strip_below
from reports.chart.panel import Panel, lines_of
from reports.equal_accuracy import Speedup, headline, speedups
from reports.page.structs import ArrowData, FamilyData, PageData, PanelData, PointData, SeriesData, UnratedData
from reports.points import Point, Unrated
from reports.table.sheet import with_interval, with_interval_of_share
from system.errors import one_line

# Each panel takes about 0.1 s to draw; the others are drawn when they are switched on.
_FIRST_PANELS = 4


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
        accuracy_title=accuracy_title(point for panel in panels for point in panel.measured),
        panels=[_panel(number, panel) for number, panel in enumerate(panels)],
    )


def _panel(number: int, panel: Panel) -> PanelData:
    points = [*panel.measured, *panel.published]
    shown: list[Point | Unrated] = [*points, *panel.unrated]
    (low, high), strip = accuracy_range(points), strip_below(points)
    return PanelData(
        id=number,
        target=panel.target,
        title=panel.title,
        subtitle=panel.subtitle,
        series=[*_series(panel, measured=False), *_series(panel, measured=True)],
        latency_range=latency_range(shown, log=False),
        log_latency_range=latency_range(shown, log=True),
        accuracy_range=(strip.bottom if panel.unrated else low, high),
        arrow=_arrow(panel),
        unrated=list(map(_unrated, panel.unrated)),
        strip=strip,
    )


def _unrated(point: Unrated) -> UnratedData:
    texts = [f"<b>{escape(point.name)}</b>", f"{with_interval(point.latency)} ms, top-1 not known"]
    return UnratedData(
        family=point.family,
        ms=point.latency.ms,
        low_ms=point.latency.low_ms,
        high_ms=point.latency.high_ms,
        usable=point.usable,
        hover="<br>".join([*texts, escape(point.verdict)]),
    )


def _series(panel: Panel, *, measured: bool) -> list[SeriesData]:
    points = panel.measured if measured else panel.published
    faster = speedups(points, panel.against)
    return [
        SeriesData(
            family=line[0].family,
            measured=measured,
            sample=line[0].sample,
            points=[_point(point, panel, faster.get(point.name), measured=measured) for point in line],
        )
        for line in lines_of(points, panel.labels)
    ]


def _point(point: Point, panel: Panel, faster: Speedup | None, *, measured: bool) -> PointData:
    latency = f"{with_interval(point.latency)} ms" if measured else f"{point.latency.ms:g} ms, published"
    texts = [f"<b>{escape(point.name)}</b>", f"{latency}, top-1 {_top1(point)}"]
    if point.accuracy and point.accuracy.lost:
        lost = with_interval_of_share(point.accuracy.lost)
        texts.append(f"format and precision cost {lost} points of top-1")
    if measured:
        texts.append(escape(point.verdict))
    if faster:
        texts.append(escape(f"against {panel.against} at equal accuracy: {arrow_text(faster)}"))
    return PointData(
        ms=point.latency.ms,
        low_ms=point.latency.low_ms,
        high_ms=point.latency.high_ms,
        top1=point.top1_percent,
        top1_low=point.top1_range[0],
        top1_high=point.top1_range[1],
        usable=point.usable,
        hover="<br>".join(texts),
    )


def _top1(point: Point) -> str:
    """The accuracy of a point, and of how many images it is where it is measured."""
    if point.accuracy is None or point.accuracy.top1 is None:
        known = zoo().get(point.name)
        is_published = known is not None and known.top1_percent == point.top1_percent
        return f"{point.top1_percent:g} %, {'published' if is_published else 'stated'}"
    of = escape(f"measured on {point.images:,} images of {one_line(point.accuracy.folder, 40)}")
    return f"{with_interval_of_share(point.accuracy.top1)} %, {of}"


def _arrow(panel: Panel) -> ArrowData | None:
    measured = headline(panel.measured, panel.against)
    shown = measured or headline(panel.published, panel.against)
    if shown is None:
        return None
    above = room_above([*panel.measured, *panel.published], shown)
    return ArrowData(
        family=shown.subject.family,
        against=panel.against,
        published=measured is None,
        ms=shown.subject.latency.ms,
        baseline_ms=shown.baseline.ms,
        top1=shown.subject.top1_percent,
        text=arrow_text(shown),
        above=above,
        text_top1=_beyond_bars(panel, shown, above=above),
    )


def _beyond_bars(panel: Panel, shown: Speedup, *, above: bool) -> float:
    """The accuracy of the arrow, or of the furthest end of a bar beside which its text would stand."""
    top1, (left, right) = shown.subject.top1_percent, sorted((shown.subject.latency.ms, shown.baseline.ms))
    evaluated = [point for point in panel.measured if point.accuracy]
    if above:  # the text ends at the arrow's right end, and begins where it begins
        return max([top1, *(point.top1_range[1] for point in evaluated if point.latency.ms <= right)])
    return min([top1, *(point.top1_range[0] for point in evaluated if left <= point.latency.ms <= right)])
