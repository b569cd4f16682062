"""What a panel's axes show: room for every point, its interval and the arrow's words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.equal_accuracy import Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Percent of accuracy that a panel shows at least.
_LEAST_SPAN = 5.0


def set_limits(axes: "Axes", points: Sequence[Point], *, log: bool) -> None:
    """Fit a panel's axes to its points; at least one."""
    axes.set_ylim(accuracy_range(points))
    largest = max(point.latency.high_ms for point in points)
    smallest = min(point.latency.low_ms for point in points)
    if log:
        axes.set_xscale("log")
        axes.set_xlim(smallest / 1.6, largest * 1.6)
        _plain_log_ticks(axes)
    else:
        axes.set_xlim(-0.03 * largest, 1.06 * largest)


def accuracy_range(points: Sequence[Point]) -> tuple[float, float]:
    """From which to which accuracy a panel of these points shows, in percent; at least one point."""
    accuracies = [point.top1_percent for point in points]
    span = max(max(accuracies) - min(accuracies), 1.0)
    # Room above for the arrow's words, which stand over the most accurate network that is compared.
    low, high = min(accuracies) - 0.08 * span, max(accuracies) + 0.16 * span
    # One network alone would get ticks of hundredths, wider than the room that was laid out for them.
    spare = max(0.0, _LEAST_SPAN - (high - low)) / 2
    return low - spare, high + spare


def _plain_log_ticks(axes: "Axes") -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
