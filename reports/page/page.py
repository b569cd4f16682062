"""The page: one offline file with the interactive chart, the tables, conditions, protocol and links to the records."""

import base64
import gzip
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import msgspec

from bench.accuracy.record import accuracy_file
from bench.protocol import Protocol
from bench.records.record import Record
from reports.cells import Report
from reports.chart.panel import Panel
from reports.page.data import page_data
from reports.page.structs import PageData
from reports.table.sheet import Sheet
from reports.table.to_html import document, html, text_of
from system.errors import UserError

STYLE = Path(__file__).with_name("page.css")
_SCRIPTS = [Path(__file__).with_name(name) for name in ("tables.js", "ticks.js", "plot.js", "still.js", "page.js")]
_SAFE = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})

_ABOUT = (
    "Latency and accuracy of networks on each target. Upright numbers were measured under the protocol below, with "
    "their 95 % intervals, or computed; <em>numbers in italics are published ones as printed</em>, or computed from "
    "these. Latency is of one image: a batch's time over its images. In the chart, solid points are measured, hollow "
    "ones published, a cross marks a number whose verdict is neither stable nor corrected, and the dotted line is the "
    "Pareto front."
)
_EVALUATED = (
    " A marker with an edge and an upright bar: the accuracy is that of the very file that was timed, with its 95 % "
    "interval; it is compared, joined by a line and on the front only with others of the same images. Without them the "
    "accuracy is the published one."
)


def page(
    report: Report, sheets: Sequence[Sheet], panels: Sequence[Panel], results: Path, out: Path, section: str = ""
) -> str:
    """The whole document; the first sheet is shown, the others fold out. `section` is more markup, behind them.

    The scripts stand behind the first sheet, so that the chart is drawn while the rest is still read.
    """
    folded = [
        f"<details><summary>{text_of(sheet.title)}</summary>{html(sheet, f'sheet-{number}')}</details>"
        for number, sheet in enumerate(sheets[1:], start=1)
    ]
    newest = [column.newest for column in report.columns if column.newest]
    body = f"""<main>
<h1>Speed and accuracy</h1>
<p class="quiet">{_ABOUT}{_EVALUATED if report.has_accuracies else ""}</p>
<noscript><p>The chart, sorting and switches need JavaScript; the tables below are complete without it.</p></noscript>
{_chips("targets", "Targets")}
{_chips("families", "Families")}
{_chips("options", "Show")}
<div id="panels"></div>
{html(sheets[0], "sheet-0")}
<script type="application/json" id="data">{_json(page_data(panels))}</script>
<script type="text/plain" id="plotly">{_plotly()}</script>
{_scripts()}
<h2>Each target in detail</h2>
{"".join(folded)}
{section}
<h2>Conditions and versions</h2>
{"".join(_conditions(record) for record in newest) or "<p>Nothing was measured yet.</p>"}
<h2>Protocol</h2>
{_protocol([record.protocol for record in newest])}
<h2>Raw records</h2>
{_records(newest, results, out)}
</main>"""
    return document("Speed and accuracy", body, STYLE.read_text(encoding="utf-8"))


def _chips(name: str, label: str) -> str:
    """A group of switches, which the script fills."""
    group = f'<div class="chips" id="{name}" role="group" aria-labelledby="of-{name}">'
    return f'{group}<span id="of-{name}">{label}</span></div>'


def _scripts() -> str:
    return "\n".join(f"<script>\n{path.read_text(encoding='utf-8')}</script>" for path in _SCRIPTS)


def _json(data: PageData) -> str:
    """JSON that can't end the script element that holds it."""
    return msgspec.json.encode(data).decode().translate(_SAFE)


def _plotly() -> str:
    """Plotly's offline bundle, gzip in base64; its Python package is not imported."""
    package = importlib.util.find_spec("plotly")
    if package is None or not package.submodule_search_locations:
        raise UserError("the page needs plotly", found="it is not installed", fix="make report installs it")
    bundle = Path(package.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
    return base64.b64encode(gzip.compress(bundle.read_bytes(), compresslevel=6, mtime=0)).decode()


def _conditions(record: Record) -> str:
    conditions = {"target": msgspec.to_builtins(record.target), **msgspec.to_builtins(record.conditions)}
    title = f"{record.target.title}, batch {record.target.batch}"
    return f"<details><summary>{text_of(title)}</summary>{_list(_flat(conditions))}</details>"


def _flat(table: dict[str, object], path: str = "") -> list[tuple[str, str]]:
    """Nested tables as one list of names and values; empty values are left out."""
    pairs: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            pairs += _flat(value, f"{path}{key} ")
        elif value not in (None, "", []):
            pairs.append((f"{path}{key}", f"{value}"))
    return pairs


def _list(pairs: Sequence[tuple[str, str]]) -> str:
    return f"<dl>{''.join(f'<dt>{text_of(name)}</dt><dd>{text_of(value)}</dd>' for name, value in pairs)}</dl>"


def _protocol(used: Sequence[Protocol]) -> str:
    """Each number of the protocol, every value that was used of it (the default where none was), and its meaning."""
    values = [msgspec.structs.asdict(protocol) for protocol in used or [Protocol()]]
    pairs = []
    for name, meaning in _meanings().items():
        shown = dict.fromkeys(f"{each[name]:g}" for each in values)
        pairs.append((name, f"{', '.join(shown)}: {meaning}"))
    return _list(pairs)


def _meanings() -> dict[str, str]:
    """What each field of the protocol means, from its description."""
    protocol = msgspec.inspect.type_info(Protocol)
    assert isinstance(protocol, msgspec.inspect.StructType)
    types = {field.name: field.type for field in protocol.fields}
    return {
        name: str((type_.extra_json_schema or {}).get("description", "")).replace("%%", "%")
        for name, type_ in types.items()
        if isinstance(type_, msgspec.inspect.Metadata)
    }


def _records(newest: Sequence[Record], results: Path, out: Path) -> str:
    names = [record.target.name for record in newest]
    timed, evaluated = (results / f"{name}.jsonl" for name in names), (accuracy_file(results, name) for name in names)
    files = [path.relative_to(results) for path in (*timed, *evaluated) if path.is_file()]
    links = (
        f'<li><a href="{text_of(quote(os.path.relpath(results / path, out)))}">{text_of(str(path))}</a></li>'
        for path in files
    )
    return f"<ul>{''.join(links)}</ul>" if files else "<p>None.</p>"
