"""Huber's mean: nearly the mean where values are normal, nearly the median where some lie far off."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# 95 % of the mean's efficiency for normal errors (Huber 1964).
_REACH = 1.345
# From the median absolute deviation of normal values to their standard deviation.
MAD_TO_SD = 1.4826
_PASSES = 100  # it ends sooner, when the mean moves no more


@dataclass(frozen=True)
class HuberMean:
    """The mean; and for each value one whose plain mean it is and whose variance is that of the influence function.

    `inside` is the share of the values that was not clipped: as with a trimmed mean (Tukey and McLaughlin 1963), only
    those bring degrees of freedom.
    """

    mean: float
    values: list[float]
    inside: float


def huber_mean(values: Sequence[float]) -> HuberMean:
    """Huber's mean of at least one value, by the scale that their median absolute deviation gives."""
    import numpy as np

    given = np.asarray(values, dtype=float)
    scale, centre = robust_scale(given), float(np.median(given))
    if scale == 0:
        # More than half are equal: that is the mean, and the others only widen its error.
        return HuberMean(mean=centre, values=(given + (centre - given.mean())).tolist(), inside=1.0)
    for _ in range(_PASSES):
        clipped = np.clip(given - centre, -_REACH * scale, _REACH * scale)
        inside = float(np.mean(np.abs(given - centre) <= _REACH * scale))
        step = float(clipped.mean()) / inside
        centre += step
        if abs(step) < 1e-9 * scale:
            break
    regular = centre + clipped / inside
    return HuberMean(mean=float(regular.mean()), values=regular.tolist(), inside=inside)


def robust_scale(values: "Sequence[float] | NDArray[np.float64]") -> float:
    """The standard deviation of the values' bulk, by their median absolute deviation; 0 of fewer than two."""
    import numpy as np

    given = np.asarray(values, dtype=float)
    return float(MAD_TO_SD * np.median(np.abs(given - np.median(given)))) if given.size > 1 else 0.0


def huber_weights(values: "NDArray[np.float64]", scale: float) -> "NDArray[np.float64]":
    """Huber's weights around the median: 1 within 1.345 scales, less beyond."""
    import numpy as np

    distances = np.abs(values - np.median(values))
    # What lies at the median counts even where the scale is 0.
    return np.where(distances <= _REACH * scale, 1.0, _REACH * scale / np.maximum(distances, 1e-300))
