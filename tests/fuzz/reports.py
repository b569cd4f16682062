"""What reports show of hostile records: always text, never markup."""

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import patch

import msgspec
from markdown_it import MarkdownIt

from bench.accuracy.store import read_accuracies
from bench.profile import Profile
from bench.records.header import newest_records
from reports.cells import Report
from reports.chart.chart import Style, panels
from reports.floor import Floors
from reports.gather import gather
from reports.page import page as pages
from reports.profiles import sheets
from reports.table import to_csv, to_latex, to_markdown
from reports.table.details import details
from reports.table.overview import overview
from reports.table.sheet import Entry, Piece, Sheet
from reports.table.to_html import html
from system.unreadable import UNREADABLE
from tests.fuzz.parser import a_file, text_of

_TAGS = {
    *(
        "html",
        "head",
        "meta",
        "link",
        "title",
        "style",
        "body",
        "main",
        "h1",
        "h2",
        "p",
        "em",
        "noscript",
        "div",
        "span",
    ),
    *("section", "table", "thead", "tbody", "tr", "th", "td", "wbr", "br", "sup", "a", "ol", "li", "ul", "details"),
    *("summary", "dl", "dt", "dd", "script"),
}
_ATTRIBUTES = {
    *("lang", "charset", "name", "content", "rel", "href", "class", "id", "role", "aria-labelledby", "aria-label"),
    *("tabindex", "scope", "data-value", "value", "type"),
}
_LATEX = {
    *(
        "begin",
        "end",
        "caption",
        "footnotesize",
        "setlength",
        "tabcolsep",
        "raggedright",
        "par",
        "centering",
        "toprule",
    ),
    *("resizebox", "ifdim", "width", "textwidth", "else", "fi", "midrule", "bottomrule", "textit", "textsuperscript"),
    *("shortstack", "textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar"),
    *("ldots", "pm", "usepackage"),
}
_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")


class _Tags(HTMLParser):
    """Refuses a tag or an attribute that no report writes."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _TAGS, tag
        for name, value in attrs:
            assert name in _ATTRIBUTES, name
            assert name != "href" or re.match(r"#|data:,|[\w./%-]*$", value or ""), value


def rendered(content: bytes) -> None:
    """Records, in every table and on the page: text, never markup."""
    with a_file("fake.jsonl", content) as path:
        report = gather(newest_records(path.parent), read_accuracies(path.parent))
        _show(report, path.parent)


def _show(report: Report, results: Path) -> None:
    floors = Floors(results)
    columns = [column for column in report.columns if column.newest is not None]
    report = Report(report.networks, columns)
    tables = [overview(report), *(details(report, column, floors, None) for column in columns)]
    check_sheets(tables)
    check_csv(to_csv.csv(report, floors, None))
    with patch.object(pages, "_plotly", str), patch.object(pages, "_scripts", str):
        document = pages.page(report, tables, panels(report, Style()), results, results / "out")
    check_html(document)


def profiles(content: bytes) -> None:
    """A profile, and its tables."""
    try:
        profile = msgspec.json.decode(content, type=Profile)
    except UNREADABLE:
        return
    check_sheets(sheets(profile))


def escapes(content: bytes) -> None:
    """Any text, wherever a sheet may hold it."""
    text = text_of(content)
    piece = Piece(text)
    rows = [[Entry((piece,), text), Entry((piece, Piece(text, printed=True)), 1.0)]]
    check_sheets([Sheet(text, [piece, piece], rows, [text], text=[text])])


def check_sheets(tables: list[Sheet]) -> None:
    """Raises AssertionError where a sheet's text is markup in any format."""
    check_markdown(to_markdown.markdown(tables), tables)
    check_html("".join(html(sheet, f"sheet-{number}") for number, sheet in enumerate(tables)))
    latex = to_latex.latex(tables)
    words = set(re.findall(r"\\([a-zA-Z]+)", latex)) - _LATEX
    assert not words, words


def check_html(document: str) -> None:
    parser = _Tags()
    parser.feed(document)
    parser.close()


def check_markdown(text: str, tables: list[Sheet]) -> None:
    """Nothing but tables, headings, paragraphs, line breaks and the italics of published numbers."""
    for token in _MARKDOWN.parse(text):
        assert token.type not in {"html_block", "fence", "code_block", "blockquote_open"}, token
        for part in token.children or ():
            assert part.type in {
                "text",
                "text_special",
                "softbreak",
                "hardbreak",
                "em_open",
                "em_close",
                "html_inline",
            }, part
            assert part.type != "html_inline" or part.content == "<br>", part


def check_csv(text: str) -> None:
    for row in csv.reader(io.StringIO(text)):
        for cell in row:
            assert not cell.startswith(("=", "+", "@", "\t", "\r")), cell
