"""95 % intervals of shares of images, and of what a format or precision costs."""

import math
from statistics import NormalDist

from bench.accuracy.record import Agreement

_Z = NormalDist().inv_cdf(0.975)


def wilson(right: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share of which `right` of `of` images were seen, from 0 to 1; (0, 1) of no images.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.
    """
    if of == 0:
        return 0.0, 1.0
    centre = (right + _Z**2 / 2) / (of + _Z**2)
    half = _Z / (of + _Z**2) * math.sqrt(right * (of - right) / of + _Z**2 / 4)
    return max(0.0, centre - half), min(1.0, centre + half)


def points_lost(agreement: Agreement, labelled: int) -> tuple[float, float, float] | None:
    """Percentage points of top-1 that an artifact loses beside torch in FP32, with its 95 % interval: lost, low, high.

    Both saw the same images, so only those count that one of them alone has right: the interval is far narrower than
    the difference of two Wilson intervals. None without labelled images. Source of the interval: Agresti and Min,
    "Simple improved confidence intervals for comparing matched proportions", Statistics in Medicine 24, 2005 (half an
    image added to each of the four cells).
    """
    if labelled == 0:
        return None
    lost, gained = agreement.only_torch_right, agreement.only_artifact_right
    more_lost, more_gained, more = lost + 0.5, gained + 0.5, labelled + 2
    centre = (more_lost - more_gained) / more
    half = _Z * math.sqrt(more_lost + more_gained - (more_lost - more_gained) ** 2 / more) / more
    low, high = (100 * max(-1.0, min(1.0, end)) for end in (centre - half, centre + half))
    return 100 * (lost - gained) / labelled, low, high
