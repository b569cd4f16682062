"""The axes of a panel: their titles, and ranges with room for every point, its interval and the arrow's text."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from reports.points import Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LATENCY_TITLE = "Latency of one image (ms)"
ACCURACY_TITLE = "ImageNet top-1 accuracy (%)"
_OF_ANY_FOLDER = "Top-1 accuracy (%)"
# Percent of accuracy that a panel shows at least: one network alone would get ticks of hundredths, wider than the room
# that is laid out for them.
_LEAST_SPAN = 5.0


def set_axes(axes: "Axes", points: Sequence[Point], *, log: bool) -> None:
    """Fit a panel's axes to its points; at least one."""
    axes.set_ylim(accuracy_range(points))
    if log:
        axes.set_xscale("log")
        _plain_log_ticks(axes)
    axes.set_xlim(latency_range(points, log=log))


def accuracy_title(points: Iterable[Point]) -> str:
    """The title of the accuracy axis; a folder that files were evaluated on need not hold ImageNet's images."""
    return _OF_ANY_FOLDER if any(point.accuracy for point in points) else ACCURACY_TITLE


def latency_range(points: Sequence[Point], *, log: bool) -> tuple[float, float]:
    """The ends of a panel's latency axis in milliseconds; at least one point."""
    largest = max(point.latency.high_ms for point in points)
    if log:
        return min(point.latency.low_ms for point in points) / 1.6, largest * 1.6
    return -0.03 * largest, 1.06 * largest


def accuracy_range(points: Sequence[Point]) -> tuple[float, float]:
    """The ends of a panel's accuracy axis in percent; at least one point."""
    accuracies = [end for point in points for end in point.top1_range]
    span = max(max(accuracies) - min(accuracies), 1.0)
    # The arrow's text stands above the most accurate network that is compared.
    low, high = min(accuracies) - 0.08 * span, max(accuracies) + 0.16 * span
    spare = max(0.0, _LEAST_SPAN - (high - low)) / 2
    return low - spare, high + spare


def _plain_log_ticks(axes: "Axes") -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
