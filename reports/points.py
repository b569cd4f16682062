"""The points of a chart: a network's latency on a target and its accuracy."""

from collections.abc import Iterable
from dataclasses import dataclass

from bench.records.record import Network
from reports.accuracy import MeasuredAccuracy
from reports.cells import Cell, Column, Latency, Report


@dataclass(frozen=True)
class Point:
    """One network: its latency and its top-1 accuracy in percent.

    The accuracy is that of the timed file where `accuracy` is given, else the published one.
    """

    name: str
    family: str
    top1_percent: float
    latency: Latency
    usable: bool = True
    verdict: str = ""
    sweep: str = ""
    accuracy: MeasuredAccuracy | None = None

    @property
    def sample(self) -> str:
        """Which images the accuracy was measured on; "" where it is published. Two of one sample are comparable."""
        return self.accuracy.sample if self.accuracy else ""

    @property
    def images(self) -> int:
        """How many images the accuracy was measured on; 0 where it is published."""
        return self.accuracy.labelled if self.accuracy else 0

    @property
    def top1_range(self) -> tuple[float, float]:
        """The accuracy's 95 % interval; both ends are the accuracy where it is published."""
        if self.accuracy is None or self.accuracy.top1 is None:
            return self.top1_percent, self.top1_percent
        return self.accuracy.top1.low, self.accuracy.top1.high


@dataclass(frozen=True)
class Unrated:
    """A measured network of no known accuracy: it has a latency alone."""

    name: str
    family: str
    latency: Latency
    usable: bool
    verdict: str


def by_kind(points: Iterable[Point]) -> dict[str, list[Point]]:
    """The points by the images that their accuracies are of, "" for published ones, in order of appearance."""
    kinds: dict[str, list[Point]] = {}
    for point in points:
        kinds.setdefault(point.sample, []).append(point)
    return kinds


def measured_points(report: Report, column: Column) -> list[Point]:
    """The measured networks whose accuracy is known: the timed file's, or where there is none the published one."""
    points = []
    for network in report.networks:
        cell = column.cell(network)
        accuracy, top1_percent = _accuracy_of(network, cell)
        if (measured := cell.measured) and top1_percent is not None:
            point = Point(
                name=network.name,
                family=network.family,
                top1_percent=top1_percent,
                latency=measured.latency,
                usable=measured.usable,
                verdict=measured.judged,
                sweep=measured.sweep,
                accuracy=accuracy,
            )
            points.append(point)
    return points


def unrated_points(report: Report, column: Column) -> list[Unrated]:
    """The measured networks whose accuracy is not known."""
    return [
        Unrated(network.name, network.family, measured.latency, measured.usable, measured.judged)
        for network in report.networks
        if (measured := (cell := column.cell(network)).measured) and _accuracy_of(network, cell)[1] is None
    ]


def _accuracy_of(network: Network, cell: Cell) -> tuple[MeasuredAccuracy | None, float | None]:
    """That of the timed file, where it has one, and the top-1 in percent that is known."""
    if cell.accuracy and cell.accuracy.top1:
        return cell.accuracy, cell.accuracy.top1.percent
    return None, network.top1_percent


def published_points(report: Report, column: Column) -> list[Point]:
    """The networks with a published latency on this target."""
    return [
        Point(network.name, network.family, network.top1_percent, cell.published)
        for network in report.networks
        if (cell := column.cell(network)).published and network.top1_percent is not None
    ]
