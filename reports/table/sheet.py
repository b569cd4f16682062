"""The table as it is read, before any format: headings, rows of entries, footnotes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.records.record import Network
from reports.cells import Cell, Column, Latency, Report

# What a table says of its pieces that are `printed`.
ITALICS = "Italics: published, or computed for what was published."


@dataclass(frozen=True)
class Piece:
    """Some text of an entry. `printed` marks what was published, or is computed for what was."""

    text: str
    printed: bool = False
    notes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One place of the table: pieces, one under the other; `value` is what it sorts by."""

    pieces: tuple[Piece, ...] = ()
    value: float | str | None = None


@dataclass(frozen=True)
class Sheet:
    """A table: the first column holds names, the others numbers. Footnote n is `notes[n - 1]`, `text` stands above."""

    title: str
    headings: Sequence[Piece]
    rows: Sequence[Sequence[Entry]]
    notes: Sequence[str] = ()
    text: Sequence[str] = ()


@dataclass
class Footnotes:
    """Notes numbered in the order in which they are first used; the same text is one note."""

    numbers: dict[str, int] = field(default_factory=dict)

    def mark(self, *texts: str) -> tuple[int, ...]:
        """The numbers of the texts that are not empty."""
        return tuple(self.numbers.setdefault(text, len(self.numbers) + 1) for text in texts if text)


def overview(report: Report) -> Sheet:
    """The published table's columns, and one more for every other target that was measured."""
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
    return "; ".join(part for part in (f"{column.heading}: {column.title}, {batch}", target.note) if part)


def superscript(numbers: Sequence[int]) -> str:
    """Footnote marks in plain text."""
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
    """A count as computed, and as printed."""
    pieces = [Piece(short_count(count))] if count is not None else []
    pieces += [Piece(printed, printed=True, notes=notes)] if printed else []
    return Entry(tuple(pieces), count)


def _latency(column: Column, network: Network, notes: Footnotes) -> Entry:
    cell = column.cell(network)
    pieces = []
    if cell.measured:
        pieces.append(Piece(with_interval(cell.measured.latency), notes=notes.mark(doubt(cell), cell.note)))
    elif cell.note:
        pieces.append(Piece("no number", notes=notes.mark(cell.note)))
    if cell.published:
        pieces.append(Piece(cell.printed, printed=True, notes=notes.mark(printed_note(column, network))))
    if cell.ratio:
        pieces.append(Piece(f"{cell.ratio.ms:.2f}x published"))
    return Entry(tuple(pieces), cell.latency.ms if cell.latency else None)


def printed_note(column: Column, network: Network) -> str:
    """Why a printed latency is not what it seems."""
    from models.published import published

    return published()[network.name].latency_note if column.name == "v100" else ""


def doubt(cell: Cell) -> str:
    """Why a measured number can't be trusted; nothing where it can."""
    if cell.measured is None or cell.measured.trusted:
        return ""
    return f"{cell.measured.verdict}: {cell.measured.detail}".removesuffix(": ")


def with_interval(latency: Latency) -> str:
    """A number to three digits with its interval to the same place."""
    return spread(latency.ms, latency.low_ms, latency.high_ms)


def spread(value: float, low: float, high: float, unit: str = "") -> str:
    """A number to three digits, or as many more as tell it from the ends of its interval; without one, alone."""
    ends = [end for end in (low, high) if not math.isclose(end, value)]
    places = places_of(value)
    while any(f"{end:.{places}f}" == f"{value:.{places}f}" for end in ends):
        places += 1
    text = f"{value:.{places}f}{unit}"
    return f"{text} ({low:.{places}f}–{high:.{places}f})" if ends else text


def places_of(value: float, digits: int = 3) -> int:
    """How many decimal places show `digits` digits of a number, once it is rounded to them."""
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
    return max(digits - 1 - exponent, 0)


def short_count(count: int) -> str:
    """A count the way papers print it: 7.47M, 402M, 22.0B."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if count >= size:
            return f"{count / size:.{places_of(count / size)}f}{letter}"
    return str(count)
