"""Per-operator times by OpenVINO's own counters, each traced back to the module of the network it came from."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec

from devices.host.clock import time_each
from devices.profilers.operators import Operator, faster_mean, mean_of_faster
from devices.profilers.ort import scopes_of
from devices.samples import Samples
from exporters.artifact import Artifact

# The first inferences still allocate.
_UNCOUNTED = 2


class OpenvinoProfiler:
    """A request with counters, each of which is the mean of all inferences since the network was compiled.

    They are whole microseconds, so an operator's seconds are known to about one.
    """

    def __init__(self, request: Any, artifact: Artifact) -> None:
        self._request: Any = request
        self._scopes = scopes_of(Path(artifact.path))
        self._seconds: list[float] = []
        self._uncounted: list[Operator] = []

    def run(self, count: int) -> Samples:
        """The seconds of `count` inferences of one batch, what counting takes in them."""
        for _ in range(count):
            self._seconds += time_each(self._request.infer, 1).seconds
            if len(self._seconds) == _UNCOUNTED:
                self._uncounted = self._means()
        return Samples(seconds=self._seconds[-count:])

    def operators(self) -> list[Operator]:
        """What each operator took; there must be more inferences than the uncounted ones.

        Which inferences were disturbed the counters don't tell. So all operators are taken to be faster in the faster
        half of the inferences by as much as these are.
        """
        counted_s = self._seconds[_UNCOUNTED:]
        faster = faster_mean(counted_s) / fmean(counted_s)
        uncounted_s = {each.name: each.seconds * _UNCOUNTED for each in self._uncounted}
        return [
            msgspec.structs.replace(
                each,
                seconds=faster
                * max(0.0, each.seconds * len(self._seconds) - uncounted_s.get(each.name, 0.0))
                / len(counted_s),
            )
            for each in self._means()
        ]

    def _means(self) -> list[Operator]:
        """The operators, each once, with the means of all inferences so far."""
        return mean_of_faster([read_counters(self._request.get_profiling_info(), self._scopes)])

    def close(self) -> None:
        """Free the network's memory."""
        self._request = None


def read_counters(counters: Sequence[Any], scopes: dict[str, str]) -> list[Operator]:
    """The operators that ran; those that another one took in count with it, and one of no scope with the one before."""
    operators: list[Operator] = []
    for counter in counters:
        if counter.status.name != "EXECUTED":
            continue
        before = operators[-1].scope if operators else ""
        operators.append(
            Operator(
                name=f"{counter.node_name} {counter.exec_type}",
                kind=counter.node_type,
                scope=next((scopes[part] for part in counter.node_name.split("/") if part in scopes), before),
                seconds=counter.real_time.total_seconds(),
            )
        )
    return operators
