"""Two runs, network by network: what changed beyond what a repetition would, and what differs in their contexts."""

import math
from collections.abc import Sequence
from statistics import mean
from typing import Any

import msgspec

from bench.records.record import Record
from bench.trust.statistics import Estimate, Pooled, pool, t_quantile, t_tail, welch_freedom
from models.zoo import zoo
from reports.compare.runs import by_cell
from reports.recorded import why_missing

TEST = (
    "Welch's t test on the logarithms of the visits' estimates, a run's sweeps taken together: 5 %, half of it for all "
    "networks of a target together (as if their errors were one and the same), half with Holm's correction for each"
)
TOGETHER = "all together"
_ALPHA = 0.05
# How often a change of the detectable size is claimed.
_POWER = 0.8
# The exponential of more is beyond what a float holds.
_LARGEST = 700.0


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One network in two runs: `ratio` is new over old with its 95 % interval; None where a number is missing.

    `error` is the standard error of the ratio's logarithm, `freedom` its degrees of freedom. `detectable` is the
    relative change that eight of ten such comparisons would claim. What would be infinite is None.
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

    A run may have several sweeps; their numbers that a verdict trusts are taken together. Behind the networks, for each
    target, how all of its trusted ones changed together; many that are slower by a little tell more than one. Networks
    that only one run has are left out. Of a number that no verdict trusts the ratio is given, with the verdict as
    `reason`, but no difference is claimed.
    """
    olds, news = by_cell(old), by_cell(new)
    found = [_compare(olds[cell], news[cell]) for cell in sorted(olds, key=_place) if cell in news]
    together = [row for target in dict.fromkeys(row.target for row in found) if (row := _together(target, found))]
    alpha = _ALPHA / 2 if together else _ALPHA
    return _holm(found, alpha) + _holm(together, alpha)


def slower(comparisons: Sequence[Comparison], percent: float) -> list[Comparison]:
    """The networks that are slower by more than `percent`, with the whole interval of the ratio."""
    return [
        found for found in comparisons if found.different and found.low is not None and found.low > 1 + percent / 100
    ]


def lost(old: Sequence[Record], new: Sequence[Record]) -> dict[tuple[str, str], str]:
    """The targets and models whose number is trusted in the old run and not in the new one, with the reason."""
    olds, news = by_cell(old), by_cell(new)
    trusted = [cell for cell in sorted(olds, key=_place) if not _side(olds[cell])[1]]
    doubts = {cell: _side(news[cell])[1] if cell in news else "not measured" for cell in trusted}
    return {cell: doubt for cell, doubt in doubts.items() if doubt}


def _place(cell: tuple[str, str]) -> tuple[str, int, str]:
    """Where it stands in a table: by target, then in the order of the zoo, others behind."""
    order = list(zoo())
    target, model = cell
    return target, order.index(model) if model in order else len(order), model


def _compare(old: Sequence[Record], new: Sequence[Record]) -> Comparison:
    (before, old_doubt), (after, new_doubt) = _side(old), _side(new)
    doubts = [f"{when} is {doubt}" for when, doubt in (("old", old_doubt), ("new", new_doubt)) if doubt]
    missing = old_doubt if before is None else new_doubt
    return Comparison(
        target=old[0].target.name,
        model=old[0].model.name,
        old_s=before.median_s if before else None,
        new_s=after.median_s if after else None,
        reason="; ".join(doubts) if before and after else missing,
        **_change(before, after) if before and after else {},
    )


def _side(records: Sequence[Record]) -> tuple[Pooled | None, str]:
    """A run's number of one cell, of its trusted sweeps, else of the newest; and why none is trusted, or missing."""
    numbers = [record for record in records if why_missing(record) is None]
    measured = [(record, record.measurement.estimate) for record in numbers if record.measurement]
    trusted = [estimate for record, estimate in measured if not _doubt(record, estimate)]
    if trusted:
        return pool(trusted), ""
    if not measured:
        return None, why_missing(records[-1]) or ""
    record, estimate = measured[-1]
    return pool([estimate]), _doubt(record, estimate)


def _doubt(record: Record, estimate: Estimate) -> str:
    """Why no difference is claimed of a number; "" where it can be."""
    if record.verdict and record.verdict.word != "stable":
        return record.verdict.word
    return "of too few visits for an interval" if math.isinf(estimate.log_error) else ""


def _change(before: Pooled, after: Pooled) -> dict[str, Any]:
    return _tested(
        change=math.log(after.median_s / before.median_s),
        error=math.hypot(before.log_error, after.log_error),
        freedom=welch_freedom([(before.log_error, before.freedom), (after.log_error, after.freedom)]),
    )


def _together(target: str, comparisons: Sequence[Comparison]) -> Comparison | None:
    """How the trusted networks of a target changed in the geometric mean; None where there are not at least two."""
    known = [
        (math.log(found.ratio), found.error, found.freedom)
        for found in comparisons
        if found.target == target and not found.reason and found.ratio and found.error is not None and found.freedom
    ]
    if len(known) < 2:
        return None
    changes, errors, _ = zip(*known, strict=True)
    # What a run does not see of itself it does to all of its networks alike, so that their errors don't cancel out.
    error = mean(errors)
    freedom = (error / mean(each / math.sqrt(free) for _, each, free in known)) ** 2 if error > 0 else 1.0
    return Comparison(target=target, model=TOGETHER, old_s=None, new_s=None, **_tested(mean(changes), error, freedom))


def _tested(change: float, error: float, freedom: float) -> dict[str, Any]:
    """The ratio with its interval and p, from the change of the logarithm and its error."""
    reach = t_quantile(0.975, freedom) * error
    if abs(change) + reach > _LARGEST:
        return {"ratio": math.exp(change)} if abs(change) <= _LARGEST else {}
    return {
        "ratio": math.exp(change),
        "low": math.exp(change - reach),
        "high": math.exp(change + reach),
        "p": 2 * t_tail(abs(change) / error, freedom) if error > 0 else float(change == 0),
        "error": error,
        "freedom": freedom,
    }


def _holm(comparisons: Sequence[Comparison], alpha: float) -> list[Comparison]:
    """Mark those that differ, at a false alarm in at most `alpha` of whole comparisons, however many networks."""
    tested = sorted(
        (found.p, index) for index, found in enumerate(comparisons) if found.p is not None and not found.reason
    )
    marked = list(comparisons)
    claiming = True
    for rank, (p, index) in enumerate(tested):
        claiming = claiming and p <= alpha / (len(tested) - rank)
        detectable = _detectable(comparisons[index], alpha / len(tested))
        marked[index] = msgspec.structs.replace(comparisons[index], different=claiming, detectable=detectable)
    return marked


def _detectable(found: Comparison, alpha: float) -> float | None:
    if found.error is None or found.freedom is None:
        return None
    reach = (t_quantile(1 - alpha / 2, found.freedom) + t_quantile(_POWER, found.freedom)) * found.error
    return math.expm1(reach) if reach <= _LARGEST else None
