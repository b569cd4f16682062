"""Per-operator times by OpenVINO's own counters, each traced back to the module of the network it came from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from devices.host.clock import time_each
from devices.profilers.operators import Operator, mean_of_faster
from devices.profilers.ort import scopes_of
from devices.samples import Samples
from exporters.artifact import Artifact

# The first inferences still allocate.
_UNCOUNTED = 2


class OpenvinoProfiler:
    """A request whose counters are read after each inference."""

    def __init__(self, request: Any, artifact: Artifact) -> None:
        self._request: Any = request
        self._scopes = scopes_of(Path(artifact.path))
        self._runs: list[list[Operator]] = []

    def run(self, count: int) -> Samples:
        """The seconds of `count` inferences of one batch, what counting takes in them."""
        seconds: list[float] = []
        for _ in range(count):
            seconds += time_each(self._request.infer, 1).seconds
            self._runs.append(read_counters(self._request.get_profiling_info(), self._scopes))
        return Samples(seconds=seconds)

    def operators(self) -> list[Operator]:
        """What each operator took."""
        return mean_of_faster(self._runs[_UNCOUNTED:])

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
