"""Every report of a results folder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.accuracy.store import read_accuracies
from bench.records.header import newest_records
from reports.axis.curve import curves_of, without_axes
from reports.axis.files import axis_files, axis_section, drawings_of
from reports.axis.finding import find_knee
from reports.axis.sheets import axis_sheets
from reports.cells import Report
from reports.chart.chart import Style, chart, panels
from reports.floor import Floors
from reports.gather import baseline, gather, narrow
from reports.page.page import STYLE, page
from reports.profiles import profile_files
from reports.table.details import details
from reports.table.overview import overview
from reports.table.to_csv import csv
from reports.table.to_html import document, html
from reports.table.to_latex import latex
from reports.table.to_markdown import markdown
from system.files import write_whole


@dataclass(frozen=True)
class RenderRequest:
    """What to render: the records of `results`, into `out`, for the targets and families that match."""

    results: Path
    out: Path
    style: Style = field(default_factory=Style)
    targets: Sequence[str] = ("*",)
    families: Sequence[str] = ("*",)
    against: str | None = None


def render(request: RenderRequest) -> list[Path]:
    """Write every report and return the files. Raises UserError where records or folder can't be used."""
    everything = gather(newest_records(request.results), read_accuracies(request.results))
    report = narrow(everything, request.targets, request.families)
    style = replace(request.style, against=baseline(everything, report, request.against))
    paths = []
    for name, content in _files(report, request, style):
        paths.append(request.out / name)
        write_whole(paths[-1], content, fix="give another --out")
    return paths


def _files(report: Report, request: RenderRequest, style: Style) -> Iterator[tuple[str, bytes]]:
    floors, against = Floors(request.results), style.against
    findings = [find_knee(curve) for curve in curves_of(report)]
    shown = without_axes(report, [found.curve for found in findings])
    targets = [overview(shown), *(details(shown, column, floors, against) for column in shown.columns)]
    axes, drawings = axis_sheets(findings), drawings_of(findings)
    sheets = [*targets, *axes]
    yield "table.md", markdown(sheets).encode()
    yield "table.csv", csv(shown, floors, against).encode()
    yield "table.tex", latex(sheets).encode()
    tables = "\n".join(html(sheet, f"sheet-{number}") for number, sheet in enumerate(sheets))
    yield "table.html", document("Latency tables", f"<main>\n{tables}\n</main>", STYLE.read_text("utf-8")).encode()
    for format_, content in chart(shown, style, ("png", "svg", "pdf")).items():
        yield f"speed.{format_}", content
    yield from axis_files(drawings)
    yield from profile_files(request.results)
    section = axis_section(axes, drawings, first=len(targets))
    document_ = page(report, targets, panels(shown, style), request.results, request.out, section)
    yield "report.html", document_.encode()
