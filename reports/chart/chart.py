"""The speed-vs-accuracy chart: a panel a target, published points hollow, measured ones solid."""

import io
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.cells import Column, Report
from reports.chart.panel import Panel, draw
from reports.equal_accuracy import measured_points, published_points
from reports.gather import BASELINE
from reports.looks import Look, looks, short_names
from system.errors import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANELS_A_ROW = 4


@dataclass(frozen=True)
class Style:
    """What the caller may choose: the family that others are compared with, if any, the axis, a title."""

    against: str | None = BASELINE
    log: bool = False
    title: str = ""


def chart(report: Report, style: Style, formats: Sequence[str]) -> dict[str, bytes]:
    """The chart as files, by format (png, svg, pdf)."""
    # A name in a script that the font lacks is drawn as boxes, which is no reason for a warning a letter.
    warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
    return draw_files(_figure(report, style), formats)


def draw_files(figure: "Figure", formats: Sequence[str]) -> dict[str, bytes]:
    """A figure as files that are equal when their data is: no date, and no random ids."""
    import matplotlib as mpl

    mpl.rcParams["svg.hashsalt"] = "zennet-latency"
    files = {}
    for format_ in formats:
        buffer = io.BytesIO()
        metadata = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[format_]
        figure.savefig(buffer, format=format_, metadata=metadata, dpi=figure.dpi)
        files[format_] = buffer.getvalue()
    return files


def panels(report: Report, style: Style) -> list[Panel]:
    """One panel a target that has a point to show."""
    families, labels = looks(report.networks), short_names(report.networks)
    every = (
        Panel(
            target=column.name,
            title=one_line(column.title, 60),
            subtitle=_subtitle(column),
            measured=measured_points(report, column),
            published=published_points(report, column),
            looks=families,
            labels=labels,
            against=style.against,
            log=style.log,
        )
        for column in report.columns
    )
    return [panel for panel in every if panel.measured or panel.published]


def _subtitle(column: Column) -> str:
    batch = f"batch {column.target.batch}" if column.target.batch > 1 else "single images"
    published = any(cell.published for cell in column.cells.values())
    kinds = (
        "measured and published" if column.measured and published else "measured" if column.measured else "published"
    )
    return f"{batch}, {kinds}"


def _figure(report: Report, style: Style) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = panels(report, style)
    across = 2 if len(shown) == 4 else min(len(shown), 3) if len(shown) <= 6 else _PANELS_A_ROW
    across = max(across, 1)
    down = max(math.ceil(len(shown) / across), 1)
    height = 3.9 * down + 0.75 + (0.4 if style.title else 0.0)
    figure = Figure(figsize=(5.0 * across, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    if style.title:
        figure.suptitle(style.title, fontsize=14, fontweight="bold", parse_math=False)
    grid = figure.subplots(down, across, squeeze=False).flatten()
    for axes in grid[len(shown) :]:
        axes.set_axis_off()
    for number, axes in enumerate(grid[: len(shown)]):
        if number % across == 0:
            axes.set_ylabel("ImageNet top-1 accuracy (%)")
    _legend(figure, shown)
    # Labels are placed in pixels, so the panels must have their size first.
    for axes, panel in zip(grid, shown, strict=False):
        axes.set_title(panel.title, pad=18, parse_math=False)
        axes.set_xlabel("Latency of one image (ms)")
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes, panel in zip(grid, shown, strict=False):
        draw(axes, panel)
    return figure


def _legend(figure: "Figure", shown: Sequence[Panel]) -> None:
    """One legend below all panels: the families, then what solid, hollow and dotted mean."""
    from matplotlib.lines import Line2D

    used: dict[str, Look] = {}
    for panel in shown:
        drawn = {point.family for point in (*panel.measured, *panel.published)}
        used |= {family: look for family, look in panel.looks.items() if family in drawn}
    grey: dict[str, Any] = {"color": "#6b6b6b", "marker": "o", "markersize": 6.5, "markeredgewidth": 1.3}
    entries: dict[str, Any] = {
        family: Line2D([], [], color=look.colour, marker=look.marker, linewidth=1.8, markersize=6.5)
        for family, look in used.items()
    }
    if any(panel.measured for panel in shown):
        entries["measured, 95 % interval"] = Line2D([], [], **grey, linewidth=1.8)
    if any(not point.trusted for panel in shown for point in panel.measured):
        cross = Line2D([], [], color="white", marker="x", markersize=4.5, markeredgewidth=1.3, linestyle="none")
        entries["not stable"] = (Line2D([], [], **grey | {"linestyle": "none"}), cross)
    if any(panel.published for panel in shown):
        hollow = grey | {"markerfacecolor": "white", "linestyle": (0, (4, 2))}
        entries["published"] = Line2D([], [], **hollow, linewidth=1.1)
    entries["Pareto front"] = Line2D([], [], color="#9a9a9a", linewidth=0.9, linestyle=(0, (1, 1.5)))
    rows = math.ceil(len(entries) / max(2, int(figure.get_figwidth() / 1.7)))
    columns = math.ceil(len(entries) / rows)
    # The legend drops labels that begin with an underscore, so each gets its text afterwards.
    handles, numbers = list(entries.values()), list(map(str, range(len(entries))))
    legend = figure.legend(handles, numbers, loc="outside lower center", ncols=columns, frameon=False, fontsize=9)
    for text, label in zip(legend.get_texts(), entries, strict=True):
        text.set_parse_math(False)
        text.set_text(one_line(label, 40))
