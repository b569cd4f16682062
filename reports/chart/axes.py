"""The axes of a panel: their titles, and ranges with room for every point, its interval and the arrow's text."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from reports.points import Point, Unrated

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LATENCY_TITLE = "Latency of one image (ms)"
ACCURACY_TITLE = "ImageNet top-1 accuracy (%)"
_OF_ANY_FOLDER = "Top-1 accuracy (%)"
# Percent of accuracy that a panel shows at least: one network alone would get ticks of hundredths, wider than the room
# that is laid out for them.
_LEAST_SPAN = 5.0
# The ratio of a logarithmic axis' ends up to which it has labels at 1, 2 and 5 of each decade.
_MOST_OF_2_AND_5 = 500
# The share of a panel's height that the strip takes, and the accuracies of a panel that has nothing but a strip.
_STRIP, _NO_ACCURACIES = 0.17, (0.0, 1.0)


class Strip(NamedTuple):
    """Where networks of no known accuracy stand, below the accuracies: its edges and its middle, in percent."""

    bottom: float
    middle: float
    top: float


def set_axes(axes: "Axes", points: Sequence[Point], unrated: Sequence[Unrated], *, log: bool) -> None:
    """Fit a panel's axes to its points and to the networks below them; at least one of either."""
    from matplotlib.ticker import MaxNLocator

    low, high = accuracy_range(points)
    bottom = strip_below(points).bottom if unrated else low
    axes.set_ylim(bottom, high)
    axes.yaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10], integer=True))
    if bottom < low:
        ticks = [tick for tick in axes.get_yticks() if low <= tick <= high] if points else []
        axes.set_yticks([strip_below(points).middle, *ticks], ["none", *(f"{tick:g}" for tick in ticks)])
        axes.set_ylim(bottom, high)
    if log:
        axes.set_xscale("log")
    axes.set_xlim(latency_range([*points, *unrated], log=log))
    if log:
        _plain_log_ticks(axes)


def strip_below(points: Sequence[Point]) -> Strip:
    """The strip of a panel for its networks of no known accuracy."""
    low, high = accuracy_range(points)
    height = (high - low) * _STRIP / (1 - _STRIP)
    return Strip(low - height, low - height / 2, low)


def accuracy_title(points: Iterable[Point]) -> str:
    """The title of the accuracy axis; a folder that files were evaluated on need not hold ImageNet's images."""
    return _OF_ANY_FOLDER if any(point.accuracy for point in points) else ACCURACY_TITLE


def latency_range(points: Sequence[Point | Unrated], *, log: bool) -> tuple[float, float]:
    """The ends of a panel's latency axis in milliseconds; at least one point."""
    largest = max(point.latency.high_ms for point in points)
    if log:
        return min(point.latency.low_ms for point in points) / 1.6, largest * 1.6
    return -0.03 * largest, 1.06 * largest


def accuracy_range(points: Sequence[Point]) -> tuple[float, float]:
    """The ends of a panel's accuracy axis in percent, above the strip."""
    if not points:
        return _NO_ACCURACIES
    accuracies = [end for point in points for end in point.top1_range]
    span = max(max(accuracies) - min(accuracies), 1.0)
    # The arrow's text stands above the most accurate network that is compared.
    low, high = min(accuracies) - 0.08 * span, max(accuracies) + 0.16 * span
    spare = max(0.0, _LEAST_SPAN - (high - low)) / 2
    return low - spare, high + spare


def _plain_log_ticks(axes: "Axes") -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    # Of many decades, labels at 2 and 5 would run into each other.
    low, high = axes.get_xlim()
    digits = (1.0, 2.0, 5.0) if high / low < _MOST_OF_2_AND_5 else (1.0, 3.0)
    axes.xaxis.set_major_locator(LogLocator(subs=digits, numticks=8))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
