"""The chart of one curve: throughput and latency over the batch or the resolution, the knee marked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.axis.curve import Axis
from reports.axis.finding import WORK, Finding
from reports.axis.rates import Rate, rate_of
from reports.cells import Latency
from reports.chart.files import draw_files, new_figure
from reports.chart.strokes import CROSS, GREY, INTERVAL, MARKER, TEXT
from reports.looks import PALETTE
from system.errors import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_KNEE, _CURVE = PALETTE[0], PALETTE[1]
_X_TITLES = {Axis.BATCH: "Batch (images)", Axis.RESOLUTION: "Resolution (px)"}
_TICKS_THAT_FIT = 14


@dataclass(frozen=True)
class _Line:
    """What one panel shows: a value with its interval for each measured point; a knee lies above the chord."""

    title: str
    values: Sequence[Rate]
    logarithmic: bool = False
    has_chord: bool = False


def draw_curve(found: Finding, formats: Sequence[str]) -> dict[str, bytes]:
    """The chart as files, by format (png, svg)."""
    return draw_files(_figure(found), formats)


def _figure(found: Finding) -> "Figure":
    curve, lines = found.curve, _lines(found)
    title = f"{one_line(curve.model, 60)} on {one_line(curve.target, 40)}"
    figure = new_figure(3.9 * len(lines), 3.7, title)
    for axes, line in zip(figure.subplots(1, len(lines)), lines, strict=True):
        _draw(axes, line, found)
    figure.supxlabel(found.statement, fontsize=8, color=GREY, wrap=True)
    return figure


def _lines(found: Finding) -> list[_Line]:
    latencies = [measured.latency for _, measured in found.curve.measured]
    images = _Line("Latency of one image (ms)", [_milliseconds(each) for each in latencies])
    work = _Line(f"Throughput ({WORK[found.curve.axis]})", found.work, has_chord=True)
    if found.curve.axis is Axis.BATCH:
        batches = [_milliseconds(measured.latency, measured.batch) for _, measured in found.curve.measured]
        return [work, _Line("Latency of a batch (ms)", batches, logarithmic=True), images]
    return [work, _Line("Throughput (images/s)", [rate_of(each) for each in latencies]), images]


def _milliseconds(latency: Latency, images: int = 1) -> Rate:
    """Of so many images, with their interval."""
    return Rate(latency.ms * images, latency.low_ms * images, latency.high_ms * images)


def _draw(axes: "Axes", line: _Line, found: Finding) -> None:
    x, y = [point.number for point, _ in found.curve.measured], [each.value for each in line.values]
    axes.set_title(line.title, fontsize=10)
    axes.set_xlabel(_X_TITLES[found.curve.axis])
    axes.grid(color="#ececec", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xscale("log", base=2)
    _ticks(axes, x)
    if line.logarithmic:
        _plain_log(axes, y)
    else:
        # An interval of a few visits may be so wide that the curve would be flat beside it.
        axes.set_ylim(0, min(1.12 * max(each.high for each in line.values), 2 * max(y)))
    if line.has_chord:
        axes.plot([x[0], x[-1]], [y[0], y[-1]], color=GREY, linewidth=0.9, linestyle=(0, (1, 1.5)), zorder=1)
    errors = [
        [each.value - each.low for each in line.values],
        [each.high - each.value for each in line.values],
    ]
    axes.plot(x, y, color=_CURVE, marker="o", linewidth=1.8, **MARKER)
    axes.errorbar(x, y, yerr=errors, **INTERVAL)
    doubtful = [at for at, (_, measured) in enumerate(found.curve.measured) if not measured.usable]
    axes.plot([x[at] for at in doubtful], [y[at] for at in doubtful], zorder=5, **CROSS)
    if found.point is not None:
        axes.axvline(found.point.number, color=_KNEE, linewidth=1.2, linestyle="--", zorder=1)
        if line.has_chord:
            at = (found.point.number, 0)
            axes.annotate("knee", at, xytext=(4, 5), textcoords="offset points", fontsize=8, color=_KNEE)
    axes.spines[["top", "right"]].set_visible(False)


def _ticks(axes: "Axes", numbers: Sequence[int]) -> None:
    """A tick at each number, but for those whose labels would touch the one before or the last."""
    from matplotlib.ticker import NullLocator

    room = math.log(numbers[-1] / numbers[0]) / _TICKS_THAT_FIT
    shown = [numbers[0]]
    for number in numbers[1:-1]:
        if math.log(number / shown[-1]) >= room and math.log(numbers[-1] / number) >= room:
            shown.append(number)
    shown.append(numbers[-1])
    axes.set_xticks(shown, [str(number) for number in shown], fontsize=8, color=TEXT)
    axes.xaxis.set_minor_locator(NullLocator())


def _plain_log(axes: "Axes", values: Sequence[float]) -> None:
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    axes.set_yscale("log")
    axes.set_ylim(min(values) / 1.4, max(values) * 1.4)
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
