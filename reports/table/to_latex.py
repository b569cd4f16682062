"""A sheet as LaTeX, for papers; it needs the packages booktabs and graphicx."""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import replace

from reports.table.sheet import ITALICS, MOST_LETTERS, Entry, Piece, Sheet
from system.errors import one_line

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # At the start of a row these would be read as arguments of the end of the row before.
    "[": "{[}",
    "*": "{*}",
    "–": "--",
    "…": r"\ldots{}",
    "±": r"$\pm$",
}
# Pairs that TeX's default fonts draw as one letter.
_LIGATURE = re.compile(r"(?<=[-`'?!])(?=[-`'])")
_NO_LETTER = frozenset("«»ÐðÞþ")  # of Latin-1, those that its default encoding lacks
_HEADING_WIDTH = 14
# Shrinks a table that is wider than the text.
_FIT = r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%"


def latex(sheets: Sequence[Sheet]) -> str:
    """A table environment for each sheet: its text, the table, its footnotes."""
    return "% \\usepackage{booktabs,graphicx}\n" + "\n".join(_sheet(_filled(sheet)) for sheet in sheets)


def _filled(sheet: Sheet) -> Sheet:
    """Without the columns that are empty in every row, since a page is narrow."""
    kept = [at for at in range(len(sheet.headings)) if at == 0 or any(row[at].pieces for row in sheet.rows)]
    headings, rows = [sheet.headings[at] for at in kept], [[row[at] for at in kept] for row in sheet.rows]
    return replace(sheet, headings=headings, rows=rows)


def _sheet(sheet: Sheet) -> str:
    lines = [
        r"\begin{table*}",
        rf"\caption{{{escape(sheet.title)}. {ITALICS}}}",
        r"\footnotesize\setlength{\tabcolsep}{4pt}",
        *(rf"{{\raggedright {escape(line)}\par}}" for line in sheet.text),
        r"\centering",
        _FIT,
        rf"\begin{{tabular}}{{l{'r' * (len(sheet.headings) - 1)}}}",
        r"\toprule",
        _row([_heading(heading, "r" if at else "l") for at, heading in enumerate(sheet.headings)]),
        r"\midrule",
        *(line for row in sheet.rows for line in _lines(row)),
        r"\bottomrule",
        r"\end{tabular}}",
    ]
    if sheet.notes:
        notes = (f"{_superscript([number])} {escape(note)}" for number, note in enumerate(sheet.notes, start=1))
        lines.append(rf"\par\raggedright {'; '.join(notes)}.")
    return "\n".join([*lines, r"\end{table*}", ""])


def _lines(row: Sequence[Entry]) -> list[str]:
    """A row on as many lines as its entry with the most pieces has."""
    height = max((len(entry.pieces) for entry in row), default=0)
    return [
        _row([_piece(entry.pieces[line]) if line < len(entry.pieces) else "" for entry in row])
        for line in range(max(height, 1))
    ]


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _piece(piece: Piece) -> str:
    text = escape(piece.text)
    return (rf"\textit{{{text}}}" if piece.printed else text) + _superscript(piece.notes)


def _heading(piece: Piece, side: str) -> str:
    """A heading on as many lines as it needs to be no wider than its numbers."""
    lines = textwrap.wrap(piece.text, _HEADING_WIDTH, break_long_words=False) or [""]
    *first, last = map(escape, lines)
    if not first:
        return last + _superscript(piece.notes)
    stacked = r" \\ ".join([*first, last + _superscript(piece.notes)])
    return rf"\shortstack[{side}]{{{stacked}}}"


def _superscript(numbers: Sequence[int]) -> str:
    return rf"\textsuperscript{{{','.join(map(str, numbers))}}}" if numbers else ""


def escape(text: str) -> str:
    """Text that LaTeX typesets literally; letters that its default fonts lack become question marks."""
    return "{}".join("".join(map(_letter, part)) for part in _LIGATURE.split(one_line(text, MOST_LETTERS)))


def _letter(letter: str) -> str:
    known = letter <= "ÿ" and letter.isprintable() and letter not in _NO_LETTER
    return _SPECIAL.get(letter, letter if known else "?")
