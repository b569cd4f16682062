"""The table of the repository's README: published latencies beside those of docs/example/, as the records have them."""

import re

from bench.records.header import newest_records
from models.published import COLUMNS
from reports.gather import gather
from reports.table.sheet import with_interval
from reports.table.to_markdown import escape
from system.files import write_whole
from tools.gallery.contribution import ROOT
from tools.gallery.pages import table

_RECORDS = ROOT / "docs" / "example"
_TARGET = "cpu"
_FILE = ROOT / "README.md"
_PART = re.compile(r"(?<=<!-- table of docs/example/ -->\n).*?(?=<!-- end -->)", re.DOTALL)


def write_front_page() -> None:
    """Write the table into README.md. Raises UserError where that can't be done."""
    write_whole(_FILE, with_table(_FILE.read_text(encoding="utf-8")).encode(), fix="make room")


def with_table(text: str) -> str:
    """The README with the table as the records give it."""
    return _PART.sub(lambda _: f"{_table()}\n", text)


def _table() -> str:
    report = gather(newest_records(_RECORDS))
    columns = {column.name: column for column in report.columns}
    rows = []
    for network in report.networks:
        if not (printed := report.printed(network)):
            continue
        cells = [columns[name].cell(network) for name in COLUMNS]
        measured = columns[_TARGET].cell(network).measured
        rows.append(
            [
                escape(network.name),
                f"{printed.top1_percent:.1f}",
                *(f"*{cell.printed}*" for cell in cells),
                with_interval(measured.latency) if measured else "",
                measured.verdict if measured else "no number",
            ]
        )
    head = ["model", "top-1, %, published", *(f"{name}, ms, *published*" for name in ("V100", "T4", "Pixel 2"))]
    return table([*head, "CPU, ms, measured (95 % interval)", "verdict"], rows)
