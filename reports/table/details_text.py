"""The lines above the table of one target: where and how its numbers were measured, and what they are held against."""

from collections import Counter
from collections.abc import Mapping

from reports import device_spread
from reports.agreement import agreement
from reports.cells import Column, Report
from reports.floor import Floors
from reports.looks import short_names
from reports.table.sheet import decimals_of
from system.errors import one_line


def lines_above(report: Report, column: Column, floors: Floors) -> list[str]:
    """What the numbers of a column ran on and hold for, its floor, and how it agrees with what was published."""
    short = short_names(report.networks)
    lines = [
        _ran_on(report, column),
        *_holds_for(report, column),
        device_spread.line(column),
        _floor(column, floors),
        *_evaluated(column, short),
        _agreement(column, short),
    ]
    return [line for line in lines if line]


def _ran_on(report: Report, column: Column) -> str:
    """The devices and the clocks of the measured numbers, as their sessions reported them; "" where there are none."""
    found = [measured for network in report.networks if (measured := column.cell(network).measured)]
    pairs = Counter(f"on {measured.ran_on or 'an unnamed device'}, timed by {measured.clock}" for measured in found)
    told = (pair if len(pairs) == 1 else f"{pair} ({count} of {len(found)} networks)" for pair, count in pairs.items())
    return f"Ran {'; '.join(told)}." if pairs else ""


def _holds_for(report: Report, column: Column) -> list[str]:
    """The condition that the numbers refer to, and whether their intervals are for another sweep or for this one."""
    found = [measured for network in report.networks if (measured := column.cell(network).measured)]
    conditions = dict.fromkeys(measured.refers_to for measured in found if measured.refers_to)
    lines = [f"Numbers hold where the reference workloads take {condition}." for condition in conditions]
    lines += [f"The device was {state}." for state in column.states if len(column.states) == 1]
    if any(measured.within_sweep and measured.latency.has_interval for measured in found):
        lines.append(
            "Intervals hold within one sweep: how far sweeps of this machine lie apart is known from three sweeps on."
        )
    return lines


def _floor(column: Column, floors: Floors) -> str:
    """The rates that the floor is of and their sources, or why there is no floor."""
    peaks = floors.peaks(column)
    if peaks is None or floors.lack(column):
        return floors.lack(column)
    kind = "rates that a probe reached" if peaks.measured else "peaks"
    giga = peaks.ops[column.target.precision] / 1e9
    compute = f"{giga:,.{decimals_of(giga)}f} G operations/s in {column.target.precision}"
    return (
        f"Floor from {kind} of {peaks.title}: {compute}, {peaks.memory / 1e9:.4g} GB/s. "
        f"Sources: {'; '.join(peaks.source)}."
    )


def _evaluated(column: Column, short: Mapping[str, str]) -> list[str]:
    """The weights of the files that were evaluated, and the networks of which only other files were."""
    trained = {model: each.weights for model, each in column.accuracies.items() if each.trained and model in short}
    weights = ", ".join(f"{short[model]} {one_line(name, 60)}" for model, name in trained.items())
    others = ", ".join(short[name] for name in column.other_files if name in short)
    return [
        f"Weights of the files that were evaluated: {weights}." if weights else "",
        f"Not shown: accuracies of other files than the ones timed here, or with other options, of {others}."
        if others
        else "",
    ]


def _agreement(column: Column, short: Mapping[str, str]) -> str:
    """How the measured numbers agree with the published ones; "" where no network has both."""
    agreed = agreement(column)
    if agreed is None:
        return ""
    furthest = ", ".join(f"{short[model]} {agreed.ratios[model]:.2f}x" for model in list(agreed.ratios)[:3])
    tau = f", Kendall's tau {agreed.tau:.2f}" if agreed.tau is not None else ""
    return (
        f"Measured against published: {len(agreed.ratios)} networks, median ratio {agreed.median_ratio:.2f}x{tau}; "
        f"furthest from it: {furthest}."
    )
