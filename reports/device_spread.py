"""How far the devices of one target lie apart: network by network, and each against the others over all networks."""

import math
from dataclasses import dataclass
from statistics import fmean

from reports.cells import Column
from reports.table.sheet import Entry, Footnotes, Piece
from system.errors import one_line

HEADING = "Slowest / fastest device"
_NOTE = (
    "of the devices that shared the visits of a network, by each one's own level; the number is the mean of these "
    "levels (of their logarithms), however many visits each made, and its interval holds how far they lie apart"
)
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Compared:
    """A device against the others: the geometric mean of its ratios to theirs over so many networks.

    Above 1 it is slower.
    """

    ratio: float
    networks: int


def has_devices(column: Column) -> bool:
    """Whether several devices shared the visits of any network."""
    return any(cell.measured and cell.measured.levels_ms for cell in column.cells.values())


def compared(column: Column) -> dict[str, Compared]:
    """Each device against the others, the slowest first; of a network the ratio to the geometric mean of the others."""
    logs: dict[str, list[float]] = {}
    for cell in column.cells.values():
        levels = {name: math.log(ms) for name, ms in cell.measured.levels_ms.items()} if cell.measured else {}
        for name, level in levels.items():
            others = [other for device, other in levels.items() if device != name]
            logs.setdefault(name, []).append(level - fmean(others))
    found = {name: Compared(math.exp(fmean(each)), len(each)) for name, each in logs.items()}
    return dict(sorted(found.items(), key=lambda pair: -pair[1].ratio))


def line(column: Column) -> str:
    """The devices of a column against each other, in words; "" where no network was shared by several."""
    found = compared(column)
    told = ", ".join(
        f"{one_line(name, _LONGEST_NAME) or 'one that is not named'} {each.ratio:.3f}x "
        f"({each.networks} {'network' if each.networks == 1 else 'networks'})"
        for name, each in found.items()
    )
    return f"{len(found)} devices; each one's time over that of the others: {told}." if found else ""


def heading(column: Column, notes: Footnotes) -> list[Piece]:
    """The heading of the spread, where there is one."""
    return [Piece(HEADING, notes=notes.mark(_NOTE))] if has_devices(column) else []


def entry(column: Column, name: str) -> list[Entry]:
    """The spread of one network, empty where one device measured it; none where the column has no such heading."""
    if not has_devices(column):
        return []
    cell = column.cells.get(name)
    ratio = cell.measured.device_spread if cell and cell.measured else None
    return [Entry((Piece(f"{ratio:.3f}x"),), ratio) if ratio else Entry()]
