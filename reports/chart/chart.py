"""The speed-vs-accuracy chart: a panel a target, published points hollow, measured ones solid."""

import io
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.cells import Column, Report
from reports.chart.axes import accuracy_title
from reports.chart.legend import add_legend
from reports.chart.panel import Panel, draw, prepare
from reports.chart.strokes import crowded
from reports.looks import looks, short_names
from reports.options import BASELINE
from reports.points import measured_points, published_points, unrated_points
from system.errors import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANELS_A_ROW = 4
_OF_CROWDED = 1.2  # how much larger panels are where one has many networks


@dataclass(frozen=True)
class Style:
    """The caller's choices: the baseline family, None for no speed-ups; a logarithmic latency axis; a title."""

    against: str | None = BASELINE
    log: bool = False
    title: str = ""


def chart(report: Report, style: Style, formats: Sequence[str]) -> dict[str, bytes]:
    """The chart as files, by format (png, svg, pdf)."""
    # A letter that the font lacks is drawn as a box; matplotlib would warn of each.
    warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
    return draw_files(_figure(report, style), formats)


def draw_files(figure: "Figure", formats: Sequence[str]) -> dict[str, bytes]:
    """The figure as files, byte for byte the same for the same data: without dates and random ids."""
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
    kinds = (
        "measured and published" if column.measured and published else "measured" if column.measured else "published"
    )
    return f"{batch}, {kinds}{_evaluated(column)}"


def _evaluated(column: Column) -> str:
    """On how many images of which folder the accuracies of the timed files were measured; "" where none was."""
    found = [accuracy for accuracy in column.accuracies.values() if accuracy.top1]
    samples = dict.fromkeys(f"{each.labelled:,} images of {one_line(each.folder, 24)}" for each in found)
    return f"; top-1 on {next(iter(samples)) if len(samples) == 1 else 'several samples'}" if samples else ""


def _figure(report: Report, style: Style) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = panels(report, style)
    across = 2 if len(shown) == 4 else min(len(shown), 3) if len(shown) <= 6 else _PANELS_A_ROW
    across = max(across, 1)
    down = max(math.ceil(len(shown) / across), 1)
    scale = _OF_CROWDED if any(crowded(panel.networks) for panel in shown) else 1.0
    height = 3.9 * scale * down + 0.75 + (0.4 if style.title else 0.0)
    figure = Figure(figsize=(5.0 * scale * across, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    if style.title:
        figure.suptitle(style.title, fontsize=14, fontweight="bold", parse_math=False)
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
