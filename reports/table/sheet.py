"""A table before it has a format: headings, rows of entries and footnotes; the overview of all targets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.records.record import Network
from reports.cells import Cell, Column, Latency, Report

# The legend of a table with pieces that are `printed`.
ITALICS = "Italics: published, or computed for what was published."


# Letters of a text that a table shows at most; a record may hold text of any length.
MOST_LETTERS = 2000


@dataclass(frozen=True)
class Piece:
    """Some text of an entry. `printed` marks a published number, or one computed from published ones.

    `notes` are the numbers of its footnotes.
    """

    text: str
    printed: bool = False
    notes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One entry of a table: pieces, one below the other. `sort_key` is None where there is nothing to sort by."""

    pieces: tuple[Piece, ...] = ()
    sort_key: float | str | None = None


@dataclass(frozen=True)
class Sheet:
    """A table: the first column holds names, the others numbers.

    Footnote n is `notes[n - 1]`; `text` is paragraphs above the table.
    """

    title: str
    headings: Sequence[Piece]
    rows: Sequence[Sequence[Entry]]
    notes: Sequence[str] = ()
    text: Sequence[str] = ()


@dataclass
class Footnotes:
    """Footnotes in the order of their first use, numbered from 1; equal texts are one footnote."""

    numbers: dict[str, int] = field(default_factory=dict)

    def mark(self, *texts: str) -> tuple[int, ...]:
        """The numbers of the texts; empty texts have none."""
        return tuple(self.numbers.setdefault(text, len(self.numbers) + 1) for text in texts if text)


def overview(report: Report) -> Sheet:
    """One row for each network: its size, its accuracy and its latency on every target."""
    notes = Footnotes()
    columns = [Piece(f"{column.heading}, ms", notes=notes.mark(_about(column))) for column in report.columns]
    headings = [*map(Piece, ("Model", "Resolution, px", "#Params", "FLOPs (MACs)", "Top-1, %")), *columns]
    rows = [
        [*_identity(report, network, notes), *(_latency(column, network, notes) for column in report.columns)]
        for network in report.networks
    ]
    return Sheet("Speed and accuracy", headings, rows, list(notes.numbers))


def _about(column: Column) -> str:
    target = column.target
    batch = f"batch {target.batch}, milliseconds of one image" if target.batch > 1 else "single images"
    states = column.states if len(column.states) == 1 else []
    return "; ".join(part for part in (f"{column.heading}: {column.title}, {batch}", *states, target.note) if part)


def superscript(numbers: Sequence[int]) -> str:
    """Numbers of footnotes as superscript digits."""
    return " ".join(str(number).translate(_SUPERSCRIPT) for number in numbers)


_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _identity(report: Report, network: Network, notes: Footnotes) -> list[Entry]:
    printed = report.printed(network)
    counts = notes.mark(printed.counts_note) if printed else ()
    top1 = network.top1_percent
    return [
        Entry((Piece(network.name),), network.name),
        Entry((Piece(f"{network.resolution_px}"),), network.resolution_px),
        _count(network.params, printed.params if printed else "", counts),
        _count(network.macs, printed.flops if printed else "", counts),
        Entry((Piece(f"{top1:.1f}", printed=True),) if top1 is not None else (), top1),
    ]


def _count(count: int | None, printed: str, notes: tuple[int, ...]) -> Entry:
    """A computed count, and the published one as printed."""
    pieces = [Piece(short_count(count))] if count is not None else []
    pieces += [Piece(printed, printed=True, notes=notes)] if printed else []
    return Entry(tuple(pieces), count)


def _latency(column: Column, network: Network, notes: Footnotes) -> Entry:
    cell = column.cell(network)
    pieces = []
    if cell.measured:
        marks = notes.mark(doubt(cell), cell.note, differing_state(column, cell))
        pieces.append(Piece(with_interval(cell.measured.latency), notes=marks))
    elif cell.note:
        pieces.append(Piece("no number", notes=notes.mark(cell.note)))
    if cell.published:
        pieces.append(Piece(cell.printed, printed=True, notes=notes.mark(printed_note(column, network))))
    if cell.ratio:
        pieces.append(Piece(f"{cell.ratio.ms:.2f}x published"))
    return Entry(tuple(pieces), cell.latency.ms if cell.latency else None)


def printed_note(column: Column, network: Network) -> str:
    """The remark on a published latency of a network; "" where there is none."""
    from models.published import published

    return published()[network.name].latency_note if column.name == "v100" else ""


def doubt(cell: Cell) -> str:
    """The verdict on a measured number and its details; "" where it is usable."""
    if cell.measured is None or cell.measured.usable:
        return ""
    return f"{cell.measured.verdict}: {cell.measured.detail}".removesuffix(": ")


def differing_state(column: Column, cell: Cell) -> str:
    """How warm the device was for a number, where the numbers of its column differ in that; else ""."""
    return cell.measured.state if cell.measured and len(column.states) > 1 else ""


def with_interval(latency: Latency) -> str:
    """A latency in milliseconds with its interval, both to the same decimals."""
    return spread(latency.ms, latency.low_ms, latency.high_ms)


def spread(value: float, low: float, high: float, unit: str = "") -> str:
    """A number to three digits with its interval, or to as many digits as the number and both ends need to differ."""
    ends = [end for end in (low, high) if not math.isclose(end, value)]
    decimals = decimals_of(value)
    while any(f"{end:.{decimals}f}" == f"{value:.{decimals}f}" for end in ends):
        decimals += 1
    text = f"{value:.{decimals}f}{unit}"
    return f"{text} ({low:.{decimals}f}–{high:.{decimals}f})" if ends else text


def decimals_of(value: float, digits: int = 3) -> int:
    """How many decimals show a number to `digits` significant digits, after rounding to them."""
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
    return max(digits - 1 - exponent, 0)


def short_count(count: int) -> str:
    """A count to three digits with a unit, as papers print it: 7.47M, 402M, 22.0B."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if count >= size:
            return f"{count / size:.{decimals_of(count / size)}f}{letter}"
    return str(count)
