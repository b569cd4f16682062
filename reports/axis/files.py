"""What the reports show of the curves, as files and as a section of the page."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.axis.figure import draw_curve
from reports.axis.finding import Finding
from reports.axis.to_csv import axis_csv
from reports.table.sheet import Sheet
from reports.table.to_html import html, text_of
from system.names import file_name


@dataclass(frozen=True)
class Drawing:
    """The chart of a curve under the name that its files have, without their suffix; `svg` is a whole file."""

    name: str
    found: Finding
    png: bytes
    svg: bytes


def drawings_of(findings: Sequence[Finding]) -> list[Drawing]:
    """The chart of each curve."""
    return [_drawing(found) for found in findings]


def axis_files(drawings: Sequence[Drawing]) -> Iterator[tuple[str, bytes]]:
    """The name and content of each file: one table of all curves, and their charts; none without curves."""
    if drawings:
        yield "axes.csv", axis_csv([drawing.found for drawing in drawings]).encode()
    for drawing in drawings:
        yield f"{drawing.name}.png", drawing.png
        yield f"{drawing.name}.svg", drawing.svg


def axis_section(sheets: Sequence[Sheet], drawings: Sequence[Drawing], first: int) -> str:
    """Markup of the charts and of the tables, which fold out; "" without curves. The tables' ids count from `first`."""
    if not drawings:
        return ""
    charts = "".join(f'<img class="curve" alt="{_said(drawing)}" src="{_data(drawing)}">' for drawing in drawings)
    tables = "".join(
        f"<details><summary>{text_of(sheet.title)}</summary>{html(sheet, f'sheet-{number}')}</details>"
        for number, sheet in enumerate(sheets, start=first)
    )
    return f"<h2>Along batch and resolution</h2>\n{charts}\n{tables}"


def _drawing(found: Finding) -> Drawing:
    curve = found.curve
    name = f"{curve.axis.value}-{file_name(curve.target)}-{file_name(curve.model)}"
    return Drawing(name, found, **draw_curve(found, ("png", "svg")))


def _said(drawing: Drawing) -> str:
    curve = drawing.found.curve
    return text_of(f"{curve.model} on {curve.target} along the {curve.axis.value}: {drawing.found.statement}")


def _data(drawing: Drawing) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(drawing.svg).decode()}"
