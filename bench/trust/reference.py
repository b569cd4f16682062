"""The reference workloads: fixed networks whose times, around and within a visit, show the machine's condition.

Neighbours on the host, shared caches, clocks and a host that moves cores about slow a network down without a trace in
this system's counters. They slow these down too. All run on ONNX Runtime with the threads of the target.
"""

import functools
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from bench.trust.gathering import Gathering
from bench.trust.visit import COMPUTE, CORE_TO_CORE, Reading
from devices.host.clock import clock_hz
from devices.samples import Samples
from devices.session import Session
from devices.targets import Target
from devices.worker import SessionLost, open_session
from exporters.artifact import Artifact
from exporters.cache import Cache
from models.zoo import find
from system.errors import UserError

# Compute: eight 3x3 convolutions on 56x56, 0.9 billion multiply-accumulates. Core-to-core: depthwise 7x7 convolutions
# on up to 112x112, little arithmetic on much that the cores pass each other.
_NETWORKS = {
    COMPUTE: "zennet:SuperConvK3BNRELU(3,64,4,1)SuperConvK3BNRELU(64,64,1,8)@224",
    CORE_TO_CORE: "zennet:SuperConvK3BNRELU(3,16,2,1)SuperResIDWE1K7(16,40,2,40,1)SuperResIDWE1K7(40,64,2,64,1)"
    "SuperResIDWE4K7(64,96,2,96,2)@224",
}
# About the same milliseconds each.
_RUNS = {COMPUTE: 1, CORE_TO_CORE: 3}
# A reading this young, taken after one visit, serves as the one before the next.
_FRESH_S = 0.05


class Workload:
    """A reference workload's session; loaded once more where its process dies, which is no network's fault."""

    def __init__(self, artifact: Artifact, target: Target, *, timeout_s: float) -> None:
        self._open = functools.partial(open_session, artifact, target, timeout_s=timeout_s)
        self._session = self._load()

    def run(self, count: int) -> Samples:
        """Run `count` inferences. Raises UserError where the workload can't be run any more."""
        try:
            return self._session.run(count)
        except SessionLost:
            self.close()
            self._session = self._load()
        try:
            return self._session.run(count)
        except SessionLost as lost:
            raise _no_reference(lost) from lost

    def close(self) -> None:
        """End its process."""
        self._session.close()

    def _load(self) -> Session:
        try:
            return self._open()
        except SessionLost as lost:
            raise _no_reference(lost) from lost


def _no_reference(lost: SessionLost) -> UserError:
    return UserError("a reference workload can't be run", found=str(lost), fix="free memory, then go on with --resume")


class Reference:
    """Readings of the reference workloads; without workloads there are none."""

    def __init__(self, workloads: Mapping[str, Workload] | None = None, gathering: Gathering | None = None) -> None:
        self._workloads = workloads or {}
        self._gathering = gathering
        self._last: Reading | None = None

    def before(self, now_s: Callable[[], float]) -> list[Reading]:
        """The readings before a visit, on the clock `now_s` of the sweep, which begins at 0.

        Where the cores lie apart they may be brought together: a small share of the sweep may go into that.
        """
        if not self._workloads:
            return []
        fresh = self._last is not None and now_s() - self._last.at_s <= _FRESH_S
        readings = [self._last] if fresh and self._last is not None else [self.read(now_s)]
        if self._gathering is not None and self._gathering.wanted(readings[-1], now_s()):
            self._gathering.gather()
            readings.append(self.read(now_s))
            self._gathering.judge(*readings[-2:])
        return readings

    def after(self, now_s: Callable[[], float]) -> list[Reading]:
        """The reading during or after a visit, if any is taken."""
        return [self.read(now_s)] if self._workloads else []

    def read(self, now_s: Callable[[], float]) -> Reading:
        """Read every workload, and the clock."""
        at_s, workloads = now_s(), {}
        for name, workload in self._workloads.items():
            workload.run(1)  # brings its weights back into the caches
            workloads[name] = workload.run(_RUNS[name])
        self._last = Reading(at_s=at_s, workloads=workloads, clock_hz=clock_hz())
        if self._gathering is not None:
            self._gathering.add(self._last)
        return self._last


def reference_artifacts(target: Target, artifacts: Path) -> dict[str, Artifact]:
    """The workloads' files, for a target whose work this machine's own processor does; none for any other.

    Raises UserError where one can't be made.
    """
    if target.device != "CPU":
        return {}
    if importlib.util.find_spec("onnxruntime") is None:
        raise UserError(
            "the reference workloads run on ONNX Runtime", found="it is not installed", fix="pip install '.[cpu]'"
        )
    cache = Cache(artifacts)
    return {name: cache.obtain(_target(target).job(find(network)[0])) for name, network in _NETWORKS.items()}


@contextmanager
def reference_for(
    target: Target, workloads: Mapping[str, Artifact], *, timeout_s: float, gather_share: float
) -> Iterator[Reference]:
    """The reference of a sweep, each workload in a process of its own. Raises UserError where one can't be run."""
    with ExitStack() as stack:
        gathering = stack.enter_context(closing(Gathering(gather_share)))
        loaded = {
            name: stack.enter_context(closing(Workload(artifact, _target(target), timeout_s=timeout_s)))
            for name, artifact in workloads.items()
        }
        yield Reference(loaded, gathering)


def _target(target: Target) -> Target:
    threads = {name: value for name, value in target.options.items() if name == "threads"}
    return Target(
        name="reference",
        title="Reference",
        runtime="ort",
        format="onnx",
        precision="fp32",
        batch=1,
        device="CPU",
        options={"provider": "CPUExecutionProvider"} | threads,
    )
