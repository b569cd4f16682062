"""A sheet as an HTML table that the page's script can sort by any column."""

from html import escape

from reports.table.sheet import MOST_LETTERS, Entry, Piece, Sheet
from system.errors import one_line


def html(sheet: Sheet, name: str) -> str:
    """A heading, the table and its footnotes; `data-value` is an entry's sort key, `em` marks published numbers.

    `name` is the id of the section and the prefix of its footnotes' ids.
    """
    head = "".join(f'<th scope="col">{_piece(heading, name)}</th>' for heading in sheet.headings)
    rows = (f"<tr>{''.join(_entry(entry, name, at) for at, entry in enumerate(row))}</tr>" for row in sheet.rows)
    body = "\n".join(rows)
    notes = "".join(
        f'<li id="{name}-{at}" value="{at}">{text_of(note)}</li>' for at, note in enumerate(sheet.notes, start=1)
    )
    notes = notes and f"<ol>{notes}</ol>"
    text = "".join(f"<p>{text_of(line)}</p>" for line in sheet.text)
    title = text_of(sheet.title)
    return (
        f'<section id="{name}"><h2>{title}</h2>{text}'
        f'<div class="scroll" role="region" aria-label="{title}" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>{notes}</section>"
    )


def document(title: str, body: str, style: str) -> str:
    """A whole document; `body` and `style` are markup already."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{text_of(title)}</title>
<style>
{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def _entry(entry: Entry, name: str, at: int) -> str:
    pieces = "<br>".join(_piece(piece, name) for piece in entry.pieces)
    if at == 0:
        names = pieces.replace("_", "_<wbr>")  # a long name may break here, between words
        return f'<th scope="row" data-value="{text_of(str(entry.sort_key))}">{names}</th>'
    sort_key = "" if entry.sort_key is None else f' data-value="{text_of(str(entry.sort_key))}"'
    return f"<td{sort_key}>{pieces}</td>"


def _piece(piece: Piece, name: str) -> str:
    text = f"<em>{text_of(piece.text)}</em>" if piece.printed else text_of(piece.text)
    marks = ", ".join(f'<a href="#{name}-{number}">{number}</a>' for number in piece.notes)
    return text + (f"<sup>{marks}</sup>" if marks else "")


def text_of(text: str) -> str:
    """Text that HTML shows as it is, on one line."""
    return escape(one_line(text, MOST_LETTERS))
