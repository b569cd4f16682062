"""A sheet as GitHub's Markdown."""

import re
from collections.abc import Sequence

from reports.table.sheet import ITALICS, MOST_LETTERS, Entry, Piece, Sheet, superscript
from system.errors import one_line


def markdown(sheets: Sequence[Sheet]) -> str:
    """Tables with their footnotes; published numbers in italics."""
    return "\n".join(_sheet(sheet) for sheet in sheets)


def _sheet(sheet: Sheet) -> str:
    rule = ["---", *["---:"] * (len(sheet.headings) - 1)]
    lines = [f"### {escape(sheet.title)}", ""] if sheet.title else []
    lines += [part for line in sheet.text for part in (escape(line), "")]
    lines += [_line([_piece(heading) for heading in sheet.headings]), _line(rule)]
    lines += [_line([_entry(entry) for entry in row]) for row in sheet.rows]
    lines.append("")
    if any(piece.printed for row in sheet.rows for entry in row for piece in entry.pieces):
        lines += [f"*{ITALICS} Upright: measured here, with the 95 % interval, or computed.*", ""]
    lines += [f"{superscript([number])} {escape(note)}  " for number, note in enumerate(sheet.notes, start=1)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _entry(entry: Entry) -> str:
    return "<br>".join(_piece(piece) for piece in entry.pieces)


def _piece(piece: Piece) -> str:
    # Footnote marks are inside the italics: CommonMark takes an asterisk between a bracket and a superscript digit for
    # a literal one.
    text = escape(piece.text) + superscript(piece.notes)
    return f"*{text}*" if piece.printed else text


def escape(text: str) -> str:
    """Text that Markdown shows literally: without HTML, table bars, emphasis and formulas."""
    text = re.sub(r"([\\`*\[\]|~])", r"\\\1", one_line(text, MOST_LETTERS))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("$", "&#36;")
    # Underscores within words are no emphasis in CommonMark.
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)
