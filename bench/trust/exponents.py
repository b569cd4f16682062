"""How much a network slows down with the reference workloads: exponents, learnt from a wide prior by its own visits.

log(visit) = network + compute * c + core_to_core * d + error, where (c, d) is the machine's condition at the visit
(bench/trust/condition.py). The prior has its derivation, no data: work that the clock bounds slows down as the clock
does, exponent 1, and work that memory bounds less; of what core-to-core alone takes longer, a network shares between
nothing and everything. Smoothed conditions don't attenuate the exponents, as readings with their noise would
(regression calibration: Carroll et al., Measurement Error in Nonlinear Models, chapter 4).
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from bench.trust.condition import Condition
from bench.trust.huber import huber_weights, robust_scale
from bench.trust.statistics import autocorrelation_factor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PRIOR_MEAN = (1.0, 0.5)
_PRIOR_ERROR = (0.5, 0.5)
_PASSES = 20
# Of a precision, or of it times its value: that of a million visits without any scatter is less.
_MOST = 1e24
# With this exponent a condition 10 % slower would slow a network seventeenfold.
_STEEPEST = 30.0
# A level and two exponents are fitted; fewer visits than this leave too few to tell how far off they are.
_FITTED, _FEWEST_VISITS = 3, 8


class Exponents(msgspec.Struct, frozen=True, kw_only=True):
    """The two exponents and the covariance of their errors."""

    compute: float
    core_to_core: float
    covariance: tuple[tuple[float, float], tuple[float, float]]

    def log_slowdown(self, condition: Condition) -> float:
        """The logarithm of how much slower the network is at a condition than at (0, 0)."""
        return self.compute * condition[0] + self.core_to_core * condition[1]

    def log_error(self, condition: Condition) -> float:
        """The standard error of `log_slowdown` there, from that of the exponents."""
        (cc, cd), (_, dd) = self.covariance
        c, d = condition
        return math.sqrt(max(0.0, cc * c * c + 2 * cd * c * d + dd * d * d))


class Information(msgspec.Struct, frozen=True, kw_only=True):
    """What the visits of one sweep say of a network's exponents: precision, and precision times value."""

    precision: tuple[tuple[float, float], tuple[float, float]]
    weighted: tuple[float, float]

    @property
    def possible(self) -> bool:
        """Whether visits can have said it: from a file it may be anything."""
        (a, b), (c, d) = self.precision
        if not all(abs(value) <= _MOST for value in (a, b, c, d, *self.weighted)):
            return False
        if min(a, d) < 0 or not math.isclose(b, c, rel_tol=1e-6, abs_tol=1e-6) or b * c > a * d * (1 + 1e-6):
            return False
        return all(abs(each) <= _STEEPEST for each in _with_prior(self))


def learn(
    logs: Sequence[float], conditions: Sequence[Condition], earlier: Sequence[Information] = ()
) -> tuple[Exponents, Information | None]:
    """The exponents by the prior, by what earlier sweeps said, and by these visits; and what these visits say.

    `logs` are the logarithms of the visits' seconds. Fewer than eight visits say nothing.
    """
    import numpy as np

    precision = np.diag(np.array(_PRIOR_ERROR) ** -2.0)
    weighted = precision @ np.array(_PRIOR_MEAN)
    for found in earlier:
        precision, weighted = precision + np.array(found.precision), weighted + np.array(found.weighted)
    if len(logs) < _FEWEST_VISITS:
        return _exponents(precision, weighted), None
    y, x = np.array(logs), np.array(conditions)
    own_precision, own_weighted = np.zeros((2, 2)), np.zeros(2)
    for _ in range(_PASSES):
        mean = np.linalg.solve(precision + own_precision, weighted + own_weighted)
        residuals = y - x @ mean
        scale = robust_scale(residuals)
        weights = huber_weights(residuals, scale)
        # The network's own level takes one degree of freedom, and part of what the visits say.
        centred_x, centred_y = (values - np.average(values, axis=0, weights=weights) for values in (x, y))
        variance = max(scale, 1e-6) ** 2 * len(logs) / (len(logs) - _FITTED)
        # What slows a network without slowing the workloads lasts longer than a visit.
        variance *= autocorrelation_factor(residuals.tolist())
        own_precision = (centred_x.T * weights) @ centred_x / variance
        own_weighted = (centred_x.T * weights) @ centred_y / variance
    information = Information(precision=_pair(own_precision), weighted=(float(own_weighted[0]), float(own_weighted[1])))
    return _exponents(precision + own_precision, weighted + own_weighted), information


def _with_prior(said: Information) -> tuple[float, float]:
    """The exponents by the prior and by this, in closed form."""
    (a, b), (_, d) = said.precision
    p, q = (error**-2.0 for error in _PRIOR_ERROR)
    x, y = (value + own * mean for value, own, mean in zip(said.weighted, (p, q), _PRIOR_MEAN, strict=True))
    determinant = (a + p) * (d + q) - b * b
    return ((d + q) * x - b * y) / determinant, ((a + p) * y - b * x) / determinant


def _exponents(precision: "NDArray[np.float64]", weighted: "NDArray[np.float64]") -> Exponents:
    import numpy as np

    covariance: NDArray[np.float64] = np.linalg.inv(precision).astype(np.float64)
    compute, core_to_core = covariance @ weighted
    return Exponents(compute=float(compute), core_to_core=float(core_to_core), covariance=_pair(covariance))


def _pair(matrix: "NDArray[np.float64]") -> tuple[tuple[float, float], tuple[float, float]]:
    (a, b), (c, d) = matrix.tolist()
    return (a, b), (c, d)
