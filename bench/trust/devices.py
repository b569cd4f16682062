"""The number of a network that several devices of one target measured: each device counts the same.

Which device happened to make more of the visits says nothing of the network, so the number is the mean of the devices'
own levels (of their logarithms), and its error comes from how far these lie apart: a device is the unit, as a visit is
where there is one device (the random effects of a one-way layout: Searle, Casella and McCulloch, Variance Components,
1992).
"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, median, stdev

from bench.trust.huber import HuberMean, huber_mean
from bench.trust.run_to_run import RunToRun
from bench.trust.statistics import (
    FEWEST_VISITS,
    Estimate,
    sampling_error,
    t_quantile,
    welch_freedom,
    with_interval,
    without_interval,
)


def by_device(values: Sequence[float], devices: Sequence[str | None]) -> dict[str, list[float]]:
    """The visits' values, in the order of time, by the device that made each; visits that name none are of one."""
    grouped: dict[str, list[float]] = {}
    for value, device in zip(values, devices, strict=True):
        grouped.setdefault(device or "", []).append(value)
    return grouped


def device_levels(visits_s: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Each device's own level in seconds, by Huber's mean of the logarithms of its visits, which are above 0."""
    units_s = {device: _unit_s(each) for device, each in visits_s.items()}
    return {
        device: units_s[device] * math.exp(huber_mean([math.log(value / units_s[device]) for value in each]).mean)
        for device, each in visits_s.items()
    }


def estimate_of_devices(
    visits_s: Mapping[str, Sequence[float]],
    *,
    correction_error: float = 0.0,
    run_to_run: RunToRun | None = None,
    between: bool = True,
) -> Estimate:
    """The mean of the devices' levels (of their logarithms), by the visits of each; at least two devices.

    Its error is the larger of two: that of the devices' levels (by their variance, with one degree of freedom less than
    there are devices), which holds that of their visits; and that of their visits alone, since two devices may agree by
    chance. Without `between` it is the latter: what these very devices would give if the sweep went on. Fewer than four
    visits in all have no interval.
    """
    every = [value for each in visits_s.values() for value in each]
    if min(every) <= 0:
        return without_interval(fmean(map(median, visits_s.values())), within_sweep=run_to_run is None)
    unit_s = _unit_s(every)
    logs = [[math.log(value / unit_s) for value in each] for each in visits_s.values()]
    found = [huber_mean(each) for each in logs]
    levels = [each.mean for each in found]
    number_s = unit_s * math.exp(fmean(levels))
    if len(every) < FEWEST_VISITS:
        return without_interval(number_s, within_sweep=run_to_run is None)
    parts = [sampling] if (sampling := _sampling(found, logs)) else []
    if between or not parts:
        parts.append((stdev(levels) / math.sqrt(len(levels)), len(levels) - 1.0))
    return with_interval(
        number_s,
        # One visit a device says nothing of what more of them would give.
        sampling=sampling or (math.inf, 1.0),
        own=max(parts, key=lambda part: t_quantile(0.975, part[1]) * part[0]),
        correction_error=correction_error,
        run_to_run=run_to_run,
    )


def _sampling(found: Sequence[HuberMean], logs: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """The error of the levels' mean by the visits alone, and its degrees of freedom; None of one visit a device.

    A device of fewer than four visits is taken to scatter as all of them do together.
    """
    parts = [sampling_error(each) for each in found if len(each.values) >= FEWEST_VISITS]
    few = [len(each) for each in logs if len(each) < FEWEST_VISITS]
    if few:
        # Of two or three visits what Huber's mean clips is no sign of their scatter.
        freedom = sum(len(each) - 1 for each in logs)
        if freedom == 0:
            return None
        squares = sum((value - mean.mean) ** 2 for mean, each in zip(found, logs, strict=True) for value in each)
        scatter = math.sqrt(squares / freedom)
        parts.append((scatter * math.sqrt(sum(1 / count for count in few)), float(freedom)))
    return math.hypot(*(error for error, _ in parts)) / len(found), welch_freedom(parts)


def _unit_s(visits_s: Sequence[float]) -> float:
    # Relative to one of them, so that equal visits give exactly what each says.
    return median(visits_s)
