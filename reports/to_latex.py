"""A sheet as LaTeX, for papers: needs \\usepackage{booktabs} and nothing else."""

from collections.abc import Sequence

from models.errors import one_line
from reports.sheet import Entry, Piece, Sheet

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
    "–": "--",
    "…": r"\ldots{}",
    "±": r"$\pm$",
}


def latex(sheets: Sequence[Sheet]) -> str:
    """A table environment a sheet; published numbers in italics, footnotes below the rules."""
    return "% \\usepackage{booktabs}\n" + "\n".join(_sheet(sheet) for sheet in sheets)


def _sheet(sheet: Sheet) -> str:
    lines = [
        r"\begin{table*}",
        rf"\caption{{{escape(sheet.title)}. Italics: published.}}",
        r"\centering\footnotesize",
        rf"\begin{{tabular}}{{l{'r' * (len(sheet.headings) - 1)}}}",
        r"\toprule",
        _row([_piece(heading) for heading in sheet.headings]),
        r"\midrule",
        *(line for row in sheet.rows for line in _lines(row)),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    if sheet.notes:
        notes = (f"{_superscript([number])} {escape(note)}" for number, note in enumerate(sheet.notes, start=1))
        lines.append(rf"\par\raggedright {'; '.join(notes)}.")
    return "\n".join([*lines, r"\end{table*}", ""])


def _lines(row: Sequence[Entry]) -> list[str]:
    """A row of entries with several pieces takes as many lines as the longest."""
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


def _superscript(numbers: Sequence[int]) -> str:
    return rf"\textsuperscript{{{','.join(map(str, numbers))}}}" if numbers else ""


def escape(text: str) -> str:
    """Text that LaTeX typesets as it is; what its default fonts lack becomes a question mark."""
    return "".join(_SPECIAL.get(letter, letter if letter <= "ÿ" else "?") for letter in one_line(text, 2000))
