"""The speed-vs-accuracy chart: a panel a target, published points hollow, measured ones solid."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.cells import Column, Report
from reports.chart.axes import accuracy_title
from reports.chart.files import draw_files, new_figure
from reports.chart.legend import add_legend
from reports.chart.panel import Panel, draw, prepare
from reports.chart.strokes import crowded
from reports.looks import looks, short_names
from reports.options import BASELINE
from reports.points import measured_points, published_points, unrated_points
from system.errors import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_ACROSS = 4
_OF_CROWDED = 1.2  # how much larger panels are where one has many networks


@dataclass(frozen=True)
class Style:
    """The caller's choices: the baseline family, None for no speed-ups; a logarithmic latency axis; a title."""

    against: str | None = BASELINE
    log: bool = False
    title: str = ""


def chart(report: Report, style: Style, formats: Sequence[str]) -> dict[str, bytes]:
    """The chart as files, by format (png, svg, pdf)."""
    return draw_files(_figure(report, style), formats)


def panels(report: Report, style: Style) -> list[Panel]:
    """A panel for each target that has a number."""
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
            unrated=unrated_points(report, column),
        )
        for column in report.columns
    )
    return [panel for panel in every if panel.networks]


def _subtitle(column: Column) -> str:
    batch = f"batch {column.target.batch}" if column.target.batch > 1 else "single images"
    published = any(cell.published for cell in column.cells.values())
    kinds = " and ".join(kind for kind, any_is in (("measured", column.measured), ("published", published)) if any_is)
    return f"{batch}, {kinds}{_evaluated(column)}"


def _evaluated(column: Column) -> str:
    """On how many images of which folder the accuracies of the timed files were measured; "" where none was."""
    found = [accuracy for accuracy in column.accuracies.values() if accuracy.top1]
    samples = dict.fromkeys(f"{each.labelled:,} images of {one_line(each.folder, 24)}" for each in found)
    return f"; top-1 on {next(iter(samples)) if len(samples) == 1 else 'several samples'}" if samples else ""


def _figure(report: Report, style: Style) -> "Figure":
    shown = panels(report, style)
    down, across = _grid(len(shown))
    scale = _OF_CROWDED if any(crowded(panel.networks) for panel in shown) else 1.0
    height = 3.9 * scale * down + 0.75 + (0.4 if style.title else 0.0)
    figure = new_figure(5.0 * scale * across, height, style.title, title_pt=14)
    grid = figure.subplots(down, across, squeeze=False).flatten()
    for axes in grid[len(shown) :]:
        axes.set_axis_off()
    points = [point for panel in shown for point in panel.measured]
    for number, axes in enumerate(grid[: len(shown)]):
        if number % across == 0:
            axes.set_ylabel(accuracy_title(points))
    add_legend(figure, shown)
    for axes, panel in zip(grid, shown, strict=False):
        prepare(axes, panel)
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.execute(figure)
    figure.set_layout_engine(None)  # with any, even that called "none", savefig draws everything twice
    for axes, panel in zip(grid, shown, strict=False):
        draw(axes, panel)
    return figure


def _grid(panels: int) -> tuple[int, int]:
    """How many rows and columns so many panels have, at least one of each."""
    across = 2 if panels == 4 else 3 if panels <= 6 else _MOST_ACROSS
    across = max(1, min(across, panels))
    return max(1, math.ceil(panels / across)), across
