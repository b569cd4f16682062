"""`Operator`: what one operator of a network took, by its runtime's own profiler."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from devices.samples import Samples


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` is the runtime's name of it, `scope` the module of the network it comes from ("" where none is known).

    `seconds` is of one inference of one batch; operators stand in the order in which they run.
    """

    name: str
    kind: str
    scope: str
    seconds: float


class Profiler(Protocol):
    """What a runtime's `open_profiler` gives: a session whose operators are timed."""

    def run(self, count: int) -> Samples:
        """The seconds of `count` inferences of one batch, the profiler's own time in them."""

    def operators(self) -> list[Operator]:
        """What each operator took in a typical inference."""

    def close(self) -> None:
        """Free the device."""


def faster_mean(values: Sequence[float]) -> float:
    """The mean of the faster half of some times: other work on the machine can only slow them."""
    kept = sorted(values)[: (len(values) + 1) // 2]
    return sum(kept) / len(kept)


def mean_of_faster(runs: Sequence[Sequence[Operator]]) -> list[Operator]:
    """The operators of a typical inference: means over the faster half of the inferences, by what these took.

    Means over whole inferences add up to a whole inference; medians of single operators don't. Operators that have
    the same name are the same one.
    """
    ordered = sorted(runs, key=lambda run: sum(operator.seconds for operator in run))
    faster = ordered[: (len(ordered) + 1) // 2]
    totals_s: dict[str, float] = {}
    first: dict[str, Operator] = {}
    for run in faster:
        for operator in run:
            totals_s[operator.name] = totals_s.get(operator.name, 0.0) + operator.seconds
            first.setdefault(operator.name, operator)
    return [msgspec.structs.replace(first[name], seconds=total_s / len(faster)) for name, total_s in totals_s.items()]
