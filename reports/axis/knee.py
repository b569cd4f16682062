"""The knee of a curve: up to where a larger batch, or a larger image, still makes better use of the hardware.

Kneedle's definition (Satopaa, Albrecht, Irwin, Raghavan: Finding a "Kneedle" in a Haystack, ICDCS Workshops 2011): the
point at the greatest distance above the chord from the first to the last point. Along x is the logarithm of the batch
or the resolution, along y the work a second: images, or pixels. Scaling either axis doesn't move that point. Kneedle's
sensitivity, which tells a knee from noise, is replaced by what is known here of the noise: the 95 % intervals.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from reports.axis.rates import Rate

_TAIL = 0.025  # beyond either end of a 95 % interval

_UNKNOWN = "knee unknown: some of its numbers have no interval"
_STRAIGHT = "no knee: the curve is straight within its intervals"
_RISING = "no knee: it still rises at the end, the more the further; measure larger ones"
_FALLING = "no knee: nothing is faster than the first point by more than the intervals"


@dataclass(frozen=True)
class Knee:
    """Which point is the knee, counted from 0; None where there is none or it can't be told, and then why."""

    at: int | None
    reason: str = ""


def knee_of(numbers: Sequence[int], rates: Sequence[Rate]) -> Knee:
    """The knee of at least three points, `numbers` ascending.

    It has to lie above the chord by more than the intervals explain, and some point has to be faster than the first.
    """
    if not all(rate.has_interval for rate in rates):
        return Knee(None, _UNKNOWN)
    if not any(_is_faster(rate, rates[0]) for rate in rates):
        return Knee(None, _FALLING)
    x = [math.log(number) for number in numbers]
    heights = {at: _above_chord(x, rates, at) for at in range(1, len(x) - 1)}
    widened = _of_many(len(heights))
    at = max(heights, key=lambda at: heights[at][0])
    above, error = heights[at]
    if above > error * widened:
        return Knee(at)
    return Knee(None, _RISING if any(height < -error * widened for height, error in heights.values()) else _STRAIGHT)


def _is_faster(rate: Rate, than: Rate) -> bool:
    """Whether a rate is higher by more than the intervals of the difference."""
    return rate.value - than.value > math.hypot(rate.half_width, than.half_width)


def _above_chord(x: Sequence[float], rates: Sequence[Rate], at: int) -> tuple[float, float]:
    """How far a point lies above the chord, and half of the 95 % interval of that, of independent errors."""
    share = (x[at] - x[0]) / (x[-1] - x[0])
    first, found, last = rates[0], rates[at], rates[-1]
    above = found.value - (1 - share) * first.value - share * last.value
    return above, math.hypot(found.half_width, (1 - share) * first.half_width, share * last.half_width)


def _of_many(count: int) -> float:
    """What widens an interval so that the greatest of so many distances is beyond it by chance as seldom as one."""
    normal = NormalDist()
    return normal.inv_cdf(1 - _TAIL / count) / normal.inv_cdf(1 - _TAIL)
