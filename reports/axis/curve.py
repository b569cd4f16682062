"""Curves: one network along the batches of a target, or along its own resolutions."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from bench.records.record import Network
from reports.cells import Cell, Column, Measured, Report
from system.names import split_at

_FEWEST_POINTS = 3  # two lie on a line whatever they are


class Axis(Enum):
    """What varies; everything else is the same."""

    BATCH = "batch"
    RESOLUTION = "resolution"


@dataclass(frozen=True)
class CurvePoint:
    """One cell; `number` is where it lies on the axis, in images or pixels.

    `is_own` says that this is the batch that the target, or the resolution that the network has by itself.
    """

    number: int
    is_own: bool
    network: Network
    column: Column
    cell: Cell

    @property
    def measured(self) -> Measured | None:
        """Its measurement, where there is one."""
        return self.cell.measured


@dataclass(frozen=True)
class Curve:
    """A network's points along an axis, ascending: at least three with a number, all on the same hardware.

    `target` and `model` are without the batch or the resolution that varies.
    """

    axis: Axis
    target: str
    model: str
    points: Sequence[CurvePoint]

    @property
    def measured(self) -> list[tuple[CurvePoint, Measured]]:
        """The points that have a number."""
        return [(point, point.measured) for point in self.points if point.measured]


def curves_of(report: Report) -> list[Curve]:
    """Every curve of a report, the batches' first; of points of several machines those of the one with the most."""
    return [curve for axis in Axis for curve in _along(axis, report)]


def without_axes(report: Report, curves: Iterable[Curve]) -> Report:
    """The report without the points of curves, but for those at the target's own batch or the network's own resolution.

    Rows and columns of which nothing is left go too.
    """
    points = [point for curve in curves for point in curve.points if not point.is_own]
    gone = {(point.column.name, point.network.name) for point in points}
    kept = [_without(column, gone) for column in report.columns]
    columns = [column for column in kept if column.cells]
    shown = {name for column in columns for name in column.cells}
    emptied = {name for _, name in gone} - shown
    return Report([network for network in report.networks if network.name not in emptied], columns)


def _without(column: Column, gone: set[tuple[str, str]]) -> Column:
    return replace(column, cells={name: cell for name, cell in column.cells.items() if (column.name, name) not in gone})


def _along(axis: Axis, report: Report) -> list[Curve]:
    groups: dict[tuple[str, str], list[CurvePoint]] = {}
    for column in report.columns:
        for network in report.networks:
            cell = column.cell(network)
            if cell.measured or cell.note:
                names, point = _point_of(axis, column, network, cell)
                groups.setdefault(names, []).append(point)
    found = (Curve(axis, *names, _of_one_machine(points)) for names, points in groups.items())
    return [curve for curve in found if len(curve.measured) >= _FEWEST_POINTS]


def _point_of(axis: Axis, column: Column, network: Network, cell: Cell) -> tuple[tuple[str, str], CurvePoint]:
    """Target and model without what varies, and the point."""
    varies, number = column.name, cell.measured.batch if cell.measured else column.target.batch
    if axis is Axis.RESOLUTION:
        varies, number = network.name, network.resolution_px
    plain, _ = split_at(varies)
    names = (plain, network.name) if axis is Axis.BATCH else (column.name, plain)
    return names, CurvePoint(number, varies == plain, network, column, cell)


def _of_one_machine(points: Sequence[CurvePoint]) -> list[CurvePoint]:
    """The points of the hardware that most were measured on, and those without a number; one of each number."""
    hardware = Counter(point.measured.hardware for point in points if point.measured)
    most = max(hardware, key=lambda each: hardware[each], default=())
    alike = [point for point in points if point.measured is None or point.measured.hardware == most]
    # Of two the one under the plain name, which its report shows elsewhere too.
    ascending = sorted(alike, key=lambda point: (point.number, point.measured is not None, point.is_own))
    return list({point.number: point for point in ascending}.values())
