"""Two runs, network by network: which latencies changed by more than repetitions of one run differ."""

import math
from collections.abc import Sequence
from statistics import mean

import msgspec
from msgspec.structs import replace

from bench.records.record import Record
from bench.trust.run_to_run import FEWEST_SWEEPS
from bench.trust.statistics import Estimate, Pooled, pool, t_quantile, t_tail, welch_freedom
from models.zoo import zoo
from reports.compare.runs import by_cell
from reports.recorded import why_missing

TEST = (
    "Welch's t test on the logarithms of the visits' estimates, the sweeps of a run pooled, at 5 %: half of it for the "
    "geometric mean over a target's networks, whose errors are taken as equal, half for each network, by Holm"
)
TOGETHER = "all together"
ALPHA = 0.05
# The probability that a change of the detectable size is found.
_POWER = 0.8
_UNKNOWN = f"of fewer than {FEWEST_SWEEPS} sweeps, so that how far sweeps lie apart is unknown"
# The exponential of a larger number overflows a float.
_LARGEST = 700.0


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One network in two runs: `ratio` is new over old with its 95 % interval; None where a number is missing.

    `error` is the standard error of the ratio's logarithm, `freedom` its degrees of freedom. `detectable` is the
    relative change that 8 of 10 such comparisons would find. Infinite numbers are None. `reason` is why nothing is
    claimed.
    """

    target: str
    model: str
    old_s: float | None
    new_s: float | None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    error: float | None = None
    freedom: float | None = None
    detectable: float | None = None
    different: bool = False
    reason: str = ""


def compare(old: Sequence[Record], new: Sequence[Record]) -> list[Comparison]:
    """Compare the records of two runs that are of the same target and model, in the order of the zoo.

    Where a run has several sweeps of a network, its usable numbers are pooled. After the networks there is one row for
    each target: the geometric mean of the changes of its usable networks. Networks that only one run has are left out.
    Where a number is not usable, or how far sweeps of its machine lie apart is unknown, the ratio is given, with the
    `reason`, and no difference is claimed.
    """
    olds, news = by_cell(old), by_cell(new)
    found = [_compare(olds[cell], news[cell]) for cell in sorted(olds, key=sort_key) if cell in news]
    together = [row for target in dict.fromkeys(row.target for row in found) if (row := _together(target, found))]
    alpha = ALPHA / 2 if together else ALPHA
    return _holm(found, alpha) + _holm(together, alpha)


def sort_key(cell: tuple[str, str]) -> tuple[str, int, str]:
    """By target, then in the order of the zoo, then networks outside the zoo by name."""
    known = list(zoo())
    target, model = cell
    return target, known.index(model) if model in known else len(known), model


def _compare(old: Sequence[Record], new: Sequence[Record]) -> Comparison:
    (before, old_doubt), (after, new_doubt) = side(old), side(new)
    doubts = [f"{when} is {doubt}" for when, doubt in (("old", old_doubt), ("new", new_doubt)) if doubt]
    missing = old_doubt if before is None else new_doubt
    found = Comparison(
        target=old[0].target.name,
        model=old[0].model.name,
        old_s=before.number_s if before else None,
        new_s=after.number_s if after else None,
        reason="; ".join(doubts) if before and after else missing,
    )
    return _changed(found, before, after) if before and after else found


def side(records: Sequence[Record]) -> tuple[Pooled | None, str]:
    """A run's number of one cell: its usable ones pooled, else the newest one; and why nothing is claimed of it."""
    numbers = [record for record in records if why_missing(record) is None]
    measured = [(record, record.measurement.estimate) for record in numbers if record.measurement]
    trusted = [estimate for record, estimate in measured if not _doubt(record, estimate)]
    if trusted:
        unknown = all(estimate.within_sweep for estimate in trusted) and len(trusted) < FEWEST_SWEEPS
        return pool(trusted), _UNKNOWN if unknown else ""
    if not measured:
        return None, why_missing(records[-1]) or ""
    record, estimate = measured[-1]
    return pool([estimate]), _doubt(record, estimate)


def _doubt(record: Record, estimate: Estimate) -> str:
    """Why no difference is claimed for a number; "" where one can be."""
    if record.verdict and not record.verdict.usable:
        return record.verdict.word
    return "of too few visits for an interval" if math.isinf(estimate.log_error) else ""


def _changed(found: Comparison, before: Pooled, after: Pooled) -> Comparison:
    return _tested(
        found,
        change=math.log(after.number_s / before.number_s),
        error=math.hypot(before.log_error, after.log_error),
        freedom=welch_freedom([(before.log_error, before.freedom), (after.log_error, after.freedom)]),
    )


def _together(target: str, comparisons: Sequence[Comparison]) -> Comparison | None:
    """The geometric mean of the changes of a target's usable networks; None where there are fewer than two."""
    known = [
        (math.log(found.ratio), found.error, found.freedom)
        for found in comparisons
        if found.target == target and not found.reason and found.ratio and found.error is not None and found.freedom
    ]
    if len(known) < 2:
        return None
    changes, errors, _ = zip(*known, strict=True)
    # The differences between runs that one run can't see are common to its networks, so the errors don't cancel out.
    error = mean(errors)
    freedom = (error / mean(each / math.sqrt(free) for _, each, free in known)) ** 2 if error > 0 else 1.0
    row = Comparison(target=target, model=TOGETHER, old_s=None, new_s=None)
    return _tested(row, mean(changes), error, freedom)


def _tested(found: Comparison, change: float, error: float, freedom: float) -> Comparison:
    """With the ratio, its 95 % interval and p, from the change of the logarithm and its standard error."""
    if abs(change) > _LARGEST:
        return found
    half_width = t_quantile(0.975, freedom) * error
    if abs(change) + half_width > _LARGEST:
        return replace(found, ratio=math.exp(change))
    return replace(
        found,
        ratio=math.exp(change),
        low=math.exp(change - half_width),
        high=math.exp(change + half_width),
        p=2 * t_tail(abs(change) / error, freedom) if error > 0 else float(change == 0),
        error=error,
        freedom=freedom,
    )


def _holm(comparisons: Sequence[Comparison], alpha: float) -> list[Comparison]:
    """Mark the rows that differ, by Holm's correction: the probability of any false alarm is at most `alpha`."""
    tested = sorted(
        (found.p, index) for index, found in enumerate(comparisons) if found.p is not None and not found.reason
    )
    marked = list(comparisons)
    claiming = True
    for rank, (p, index) in enumerate(tested):
        claiming = claiming and p <= alpha / (len(tested) - rank)
        detectable = _detectable(comparisons[index], alpha / len(tested))
        marked[index] = replace(comparisons[index], different=claiming, detectable=detectable)
    return marked


def _detectable(found: Comparison, alpha: float) -> float | None:
    if found.error is None or found.freedom is None:
        return None
    change = (t_quantile(1 - alpha / 2, found.freedom) + t_quantile(_POWER, found.freedom)) * found.error
    return math.expm1(change) if change <= _LARGEST else None
