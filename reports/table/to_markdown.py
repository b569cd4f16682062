"""A sheet as GitHub's Markdown."""

import re
from collections.abc import Sequence

from reports.table.sheet import ITALICS, Entry, Piece, Sheet, superscript
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
    # Marks stand inside the italics: behind a closing asterisk that follows a bracket they would make it a letter.
    text = escape(piece.text) + superscript(piece.notes)
    return f"*{text}*" if piece.printed else text


def escape(text: str) -> str:
    """Text that Markdown shows as it is: no HTML, table bar, emphasis or formula; underscores within words are safe."""
    text = re.sub(r"([\\`*\[\]|~])", r"\\\1", one_line(text, 2000))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("$", "&#36;")
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)
