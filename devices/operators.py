"""`Operator`: what one operator of a network took, by its runtime's own profiler."""

from collections.abc import Sequence

import msgspec


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` is the runtime's name of it, `scope` the module of the network it comes from ("" where none is known).

    `seconds` is of one inference of one batch; operators stand in the order in which they run.
    """

    name: str
    kind: str
    scope: str
    seconds: float


def middle_mean(values: Sequence[float]) -> float:
    """The mean of the middle half of some times, which neither a pause nor a lucky moment moves."""
    ordered = sorted(values)
    kept = ordered[len(ordered) // 4 : len(ordered) - len(ordered) // 4]
    return sum(kept) / len(kept)


def mean_of_middle(runs: Sequence[Sequence[Operator]]) -> list[Operator]:
    """The operators of a typical inference: means over the middle half of the inferences, by what these took.

    Means over whole inferences add up to one; medians of single operators don't. Operators are told by name.
    """
    ordered = sorted(runs, key=lambda run: sum(operator.seconds for operator in run))
    middle = ordered[len(ordered) // 4 : len(ordered) - len(ordered) // 4]
    totals_s: dict[str, float] = {}
    first: dict[str, Operator] = {}
    for run in middle:
        for operator in run:
            totals_s[operator.name] = totals_s.get(operator.name, 0.0) + operator.seconds
            first.setdefault(operator.name, operator)
    return [msgspec.structs.replace(first[name], seconds=total_s / len(middle)) for name, total_s in totals_s.items()]
