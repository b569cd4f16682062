"""A quantity that wanders, read with noise: its level at every reading, by a robust local-level model.

The level is a random walk in continuous time, the noise has Student's t distribution with four degrees of freedom, so
that a single reading far off moves the level little. Both variances are the ones of largest likelihood: how much is
smoothed follows from the readings themselves. (Durbin and Koopman, Time Series Analysis by State Space Methods,
chapter 2; the weights of the t distribution: Lange, Little and Taylor, JASA 1989.)
"""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_T_FREEDOM = 4.0  # the usual choice of the robust literature (Lange, Little and Taylor)
_PASSES = 4  # the weights settle within three
# The walk's variance a second over the noise's: from "constant for hours" to "another level at each reading".
_LOG_RATIOS = (-12.0, 9.0)
_SAME_MOMENT_S = 1e-3


class Level(NamedTuple):
    """`levels` at the readings' times; `noise` and `walk` are standard deviations, of a reading and of one second."""

    at_s: "NDArray[np.float64]"
    levels: "NDArray[np.float64]"
    noise: float
    walk: float

    def at(self, at_s: float) -> float:
        """The level at a time: linear between two readings, the first or last one beyond them."""
        import numpy as np

        return float(np.interp(at_s, self.at_s, self.levels))


def local_level(at_s: "NDArray[np.float64]", values: "NDArray[np.float64]") -> Level:
    """The levels of readings in the order of time; at least one."""
    import numpy as np
    from scipy.optimize import minimize_scalar

    if len(values) < 3 or np.ptp(values) == 0:
        return Level(at_s, np.full(len(values), np.median(values)), 0.0, 0.0)
    gaps_s = np.maximum(np.diff(at_s), _SAME_MOMENT_S)
    weights = np.ones(len(values))
    for _ in range(_PASSES):
        found = minimize_scalar(
            lambda log_ratio, weights=weights: _fit(values, gaps_s, weights, np.exp(log_ratio))[0],
            bounds=_LOG_RATIOS,
            method="bounded",
            options={"xatol": 0.1},
        )
        ratio = float(np.exp(found.x))
        _, levels, variance = _fit(values, gaps_s, weights, ratio)
        weights = (_T_FREEDOM + 1) / (_T_FREEDOM + (values - levels) ** 2 / max(variance, 1e-300))
    return Level(at_s, levels, float(np.sqrt(variance)), float(np.sqrt(variance * ratio)))


def _fit(
    values: "NDArray[np.float64]", gaps_s: "NDArray[np.float64]", weights: "NDArray[np.float64]", ratio: float
) -> "tuple[float, NDArray[np.float64], float]":
    """Minus twice the logarithm of the likelihood (less a constant), the levels, and the noise's variance."""
    import numpy as np
    from scipy.linalg import cho_solve_banded, cholesky_banded

    count, steps = len(values), 1.0 / (ratio * gaps_s)
    # The precision of the levels, tridiagonal: that of the readings plus that of the walk's steps.
    diagonal = weights.copy()
    diagonal[:-1] += steps
    diagonal[1:] += steps
    banded = np.zeros((2, count))
    banded[0, 1:], banded[1] = -steps, diagonal
    factor = cholesky_banded(banded)
    centre = np.average(values, weights=weights)
    levels = cho_solve_banded((factor, False), weights * (values - centre)) + centre
    misfit = float((weights * (values - levels) ** 2).sum() + (np.diff(levels) ** 2 * steps).sum())
    variance = misfit / (count - 1)
    determinant = 2 * float(np.log(factor[1]).sum()) - float(np.log(steps).sum())
    return (count - 1) * np.log(max(variance, 1e-300)) + determinant, levels, variance
