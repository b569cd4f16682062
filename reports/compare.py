"""Two runs, network by network: what changed beyond what a repetition would, and what differs in their contexts."""

import math
from collections.abc import Sequence
from statistics import mean
from typing import Any

import msgspec

from bench.record import Record
from bench.statistics import t_quantile, t_tail
from models.zoo import zoo

TEST = (
    "Welch's t test on the logarithms of the rounds' estimates: 5 %, half of it for all networks of a target together "
    "(as if their errors were one and the same), half with Holm's correction for each"
)
TOGETHER = "all together"
_ALPHA = 0.05


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One network in two runs: `ratio` is new over old with its 95 % interval; None where a number is missing.

    `error` is the standard error of the ratio's logarithm, `freedom` its degrees of freedom.
    """

    target: str
    model: str
    old_s: float | None
    new_s: float | None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    error: float = math.inf
    freedom: float = 1.0
    different: bool = False
    reason: str = ""


def compare(old: Sequence[Record], new: Sequence[Record]) -> list[Comparison]:
    """Compare the records of two runs that are of the same target and model, in the order of the zoo.

    Behind them, for each target, how all of its trusted networks changed together; many that are slower by a little
    tell more than one. Networks that only one run has are left out. Of a number that its verdict doesn't trust the
    ratio is given, with the verdict as `reason`, but no difference is claimed.
    """
    news = {_cell(record): record for record in new}
    pairs = [(record, news[_cell(record)]) for record in sorted(old, key=_place) if _cell(record) in news]
    found = [_compare(one, other) for one, other in pairs]
    together = [row for target in dict.fromkeys(row.target for row in found) if (row := _together(target, found))]
    alpha = _ALPHA / 2 if together else _ALPHA
    return _holm(found, alpha) + [
        msgspec.structs.replace(row, different=row.p is not None and row.p <= alpha / len(together)) for row in together
    ]


def differences(old: Record, new: Record) -> list[str]:
    """What differs in the contexts of two records, one line a field: target, protocol, artifact, place, machine."""
    return [
        f"{name}: {before!r} before, {after!r} now"
        for name, before, after in _differing("", _context(old), _context(new))
    ]


def slower(comparisons: Sequence[Comparison], percent: float) -> list[Comparison]:
    """The networks that are slower by more than `percent`, with the whole interval of the ratio."""
    return [
        found for found in comparisons if found.different and found.low is not None and found.low > 1 + percent / 100
    ]


def _cell(record: Record) -> tuple[str, str]:
    return record.target.name, record.model.name


def _place(record: Record) -> tuple[str, int, str]:
    """Where it stands in a table: by target, then in the order of the zoo, others behind."""
    order = list(zoo())
    name = record.model.name
    return record.target.name, order.index(name) if name in order else len(order), name


def _compare(old: Record, new: Record) -> Comparison:
    one, two = old.measurement, new.measurement
    if one is None or two is None:
        return Comparison(
            target=old.target.name,
            model=old.model.name,
            old_s=one.estimate.median_s if one else None,
            new_s=two.estimate.median_s if two else None,
            reason=(old if one is None else new).reason or "no number",
        )
    before, after = one.estimate, two.estimate
    tested = _tested(
        change=math.log(after.median_s / before.median_s),
        error=math.hypot(before.log_error, after.log_error),
        freedom=_welch(before.log_error, before.freedom, after.log_error, after.freedom),
    )
    return Comparison(
        target=old.target.name,
        model=old.model.name,
        old_s=before.median_s,
        new_s=after.median_s,
        reason="; ".join(_doubts(old, new)),
        **tested,
    )


def _together(target: str, comparisons: Sequence[Comparison]) -> Comparison | None:
    """How the trusted networks of a target changed in the geometric mean; None where there are not at least two."""
    trusted = [found for found in comparisons if found.target == target and found.p is not None and not found.reason]
    if len(trusted) < 2:
        return None
    # What a run does not see of itself it does to all of its networks alike, so that their errors don't cancel out.
    error = mean(found.error for found in trusted)
    freedom = min(found.freedom for found in trusted)
    change = mean(math.log(found.ratio) for found in trusted if found.ratio)
    return Comparison(target=target, model=TOGETHER, old_s=None, new_s=None, **_tested(change, error, freedom))


def _tested(change: float, error: float, freedom: float) -> dict[str, Any]:
    """The ratio with its interval and p, from the change of the logarithm and its error."""
    reach = t_quantile(0.975, freedom) * error
    return {
        "ratio": math.exp(change),
        "low": math.exp(change - reach),
        "high": math.exp(change + reach),
        "p": 2 * t_tail(abs(change) / error, freedom) if error > 0 else float(change == 0),
        "error": error,
        "freedom": freedom,
    }


def _doubts(old: Record, new: Record) -> list[str]:
    verdicts = (("old", old.verdict), ("new", new.verdict))
    return [f"{when} is {verdict.word}" for when, verdict in verdicts if verdict and verdict.word != "stable"]


def _welch(error: float, freedom: float, other_error: float, other_freedom: float) -> float:
    """Welch and Satterthwaite's degrees of freedom."""
    if error == other_error == 0:
        return freedom + other_freedom
    return (error**2 + other_error**2) ** 2 / (error**4 / freedom + other_error**4 / other_freedom)


def _holm(comparisons: list[Comparison], alpha: float) -> list[Comparison]:
    """Mark those that differ, at a false alarm in at most `alpha` of whole comparisons, however many networks."""
    tested = sorted(
        (found.p, index) for index, found in enumerate(comparisons) if found.p is not None and not found.reason
    )
    marked = list(comparisons)
    for rank, (p, index) in enumerate(tested):
        if p > alpha / (len(tested) - rank):
            break
        marked[index] = msgspec.structs.replace(comparisons[index], different=True)
    return marked


def _context(record: Record) -> dict[str, Any]:
    return {
        "target": msgspec.to_builtins(record.target),
        "protocol": msgspec.to_builtins(record.protocol),
        "artifact": _artifact(record),
        "place": record.measurement.place if record.measurement else None,
        "clock": record.measurement.clock if record.measurement else None,
        "machine": record.conditions.get("machine"),
    }


def _artifact(record: Record) -> dict[str, Any] | None:
    if record.artifact is None:
        return None
    return {
        name: value for name, value in msgspec.to_builtins(record.artifact).items() if name not in ("path", "fidelity")
    }


def _differing(path: str, old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        names = dict.fromkeys([*old, *new])
        return [row for name in names for row in _differing(f"{path}.{name}", old.get(name), new.get(name))]
    return [] if old == new else [(path.removeprefix("."), old, new)]
