"""A table before it has a format: headings, rows of entries and footnotes, and how numbers are written."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.records.record import Network
from models.published import published
from reports.accuracy import Share
from reports.cells import Cell, Column, Latency

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


def superscript(numbers: Sequence[int]) -> str:
    """Numbers of footnotes as superscript digits."""
    return " ".join(str(number).translate(_SUPERSCRIPT) for number in numbers)


_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def printed_note(column: Column, network: Network) -> str:
    """The remark on a published latency of a network; "" where there is none: all of them are of the V100."""
    return published()[network.name].latency_note if column.name == "v100" else ""


def doubt(cell: Cell) -> str:
    """The verdict on a measured number and its details; "" where it is usable."""
    if cell.measured is None or cell.measured.usable:
        return ""
    return cell.measured.judged


def differing_state(column: Column, cell: Cell) -> str:
    """How warm the device was for a number, where the numbers of its column differ in that; else ""."""
    return cell.measured.state if cell.measured and len(column.states) > 1 else ""


def with_interval(latency: Latency) -> str:
    """A latency in milliseconds with its interval, both to the same decimals."""
    return number_with_interval(latency.ms, latency.low_ms, latency.high_ms)


def with_interval_of_share(share: Share) -> str:
    """A share in percent, or a difference in points, with its interval, all to a tenth or finer."""
    return number_with_interval(share.percent, share.low, share.high, decimals=1)


def number_with_interval(value: float, low: float, high: float, unit: str = "", *, decimals: int | None = None) -> str:
    """A number to three digits, or to `decimals`, with its interval; finer where number and ends would be equal."""
    ends = [end for end in (low, high) if not math.isclose(end, value)]
    decimals = decimals_of(value) if decimals is None else decimals
    while any(f"{end:.{decimals}f}" == f"{value:.{decimals}f}" for end in ends):
        decimals += 1
    text = f"{value:.{decimals}f}{unit}"
    to = "–" if low >= 0 else " to "  # a dash before a minus sign can't be read
    return f"{text} ({low:.{decimals}f}{to}{high:.{decimals}f})" if ends else text


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
