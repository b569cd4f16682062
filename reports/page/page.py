"""The page: one file that works offline, with the interactive chart, the tables, conditions, protocol and records."""

import base64
import gzip
import importlib.util
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from bench.protocol import Protocol
from reports.cells import Column, Report
from reports.chart.panel import Panel
from reports.page.data import page_data
from reports.table.sheet import Sheet
from reports.table.to_html import document, html, text_of
from system.errors import UserError

STYLE = Path(__file__).with_name("page.css")
_SCRIPTS = [Path(__file__).with_name(name) for name in ("tables.js", "plot.js", "page.js")]
_SAFE = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})

_ABOUT = (
    "How fast networks are on real hardware, and what accuracy that buys. Upright numbers were measured under the "
    "protocol below and carry a 95 % interval; <em>numbers in italics were published</em> and are shown as "
    "printed, or computed for what was. "
    "Latency is of one image, whatever the batch. In the chart, solid points are measured, hollow ones published, "
    "a cross is a number that the verdict does not trust, and the dotted line is the Pareto front."
)


def page(report: Report, sheets: Sequence[Sheet], panels: Sequence[Panel], results: Path, out: Path) -> str:
    """The whole document; the first sheet is shown, the others fold out."""
    folded = [
        f"<details><summary>{text_of(sheet.title)}</summary>{html(sheet, f'sheet-{number}')}</details>"
        for number, sheet in enumerate(sheets[1:], start=1)
    ]
    measured = [column for column in report.columns if column.measured or column.conditions]
    body = f"""<main>
<h1>Speed and accuracy</h1>
<p class="quiet">{_ABOUT}</p>
<noscript><p>The chart, sorting and switches need JavaScript; the tables below are complete without it.</p></noscript>
{_chips("targets", "Targets")}
{_chips("families", "Families")}
{_chips("options", "Show")}
<div id="panels"></div>
{html(sheets[0], "sheet-0")}
<h2>Each target in detail</h2>
{"".join(folded)}
<h2>Conditions and versions</h2>
{"".join(_conditions(column) for column in measured) or "<p>Nothing was measured yet.</p>"}
<h2>Protocol</h2>
{_protocol(measured)}
<h2>Raw records</h2>
{_records(measured, results, out)}
</main>
<script type="application/json" id="data">{_json(page_data(panels))}</script>
<script type="text/plain" id="plotly">{_plotly()}</script>
{_scripts()}"""
    return document("Speed and accuracy", body, STYLE.read_text(encoding="utf-8"))


def _chips(name: str, label: str) -> str:
    """A group of switches, which the script fills."""
    group = f'<div class="chips" id="{name}" role="group" aria-labelledby="of-{name}">'
    return f'{group}<span id="of-{name}">{label}</span></div>'


def _scripts() -> str:
    return "\n".join(f"<script>\n{path.read_text(encoding='utf-8')}</script>" for path in _SCRIPTS)


def _json(value: object) -> str:
    """JSON that can't end the script element it stands in."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_SAFE)


def _plotly() -> str:
    """Plotly's offline bundle, compressed; its Python side is not imported."""
    package = importlib.util.find_spec("plotly")
    if package is None or not package.submodule_search_locations:
        raise UserError("the page needs plotly", found="it is not installed", fix="make report installs it")
    bundle = Path(package.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
    return base64.b64encode(gzip.compress(bundle.read_bytes(), compresslevel=6, mtime=0)).decode()


def _conditions(column: Column) -> str:
    pairs = [("target", msgspec.to_builtins(column.target)), *(msgspec.to_builtins(column.conditions) or {}).items()]
    return f"<details><summary>{text_of(column.title)}</summary>{_list(_flat(dict(pairs)))}</details>"


def _flat(table: dict[str, Any], path: str = "") -> list[tuple[str, str]]:
    """Nested tables as one list of names and values; what has no value is left out."""
    pairs: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            pairs += _flat(value, f"{path}{key} ")
        elif value not in (None, "", []):
            pairs.append((f"{path}{key}", f"{value}"))
    return pairs


def _list(pairs: Sequence[tuple[str, str]]) -> str:
    return f"<dl>{''.join(f'<dt>{text_of(name)}</dt><dd>{text_of(value)}</dd>' for name, value in pairs)}</dl>"


def _protocol(columns: Sequence[Column]) -> str:
    """Every number of the protocol with what it means; what columns were measured by, where they differ."""
    meanings = {
        field.name: (getattr(field.type, "extra_json_schema", None) or {}).get("description", "")
        for field in msgspec.inspect.type_info(Protocol).fields  # type: ignore[attr-defined]
    }
    used = [column.protocol for column in columns] or [msgspec.to_builtins(Protocol())]
    pairs = []
    for name, meaning in meanings.items():
        values = list(dict.fromkeys(f"{protocol[name]:g}" for protocol in used if name in protocol))
        pairs.append((name, f"{', '.join(values)}: {meaning.replace('%%', '%')}"))
    return _list(pairs)


def _records(columns: Sequence[Column], results: Path, out: Path) -> str:
    files = [path for column in columns if (path := results / f"{column.name}.jsonl").is_file()]
    links = (
        f'<li><a href="{text_of(quote(os.path.relpath(path, out)))}">{text_of(path.name)}</a></li>' for path in files
    )
    return f"<ul>{''.join(links)}</ul>" if files else "<p>There are none.</p>"
