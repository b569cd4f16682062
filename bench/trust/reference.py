"""The reference: fixed works whose times, right before and right after a visit, show what the machine gave meanwhile.

Neighbours on the host, shared caches, clocks and a host that moves cores about slow a network down without a trace in
this system's counters. They slow these down too. All run on ONNX Runtime with the threads of the target.
"""

import functools
import importlib.util
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from bench.trust.rejection import Limits, Readings, undisturbed
from devices.host.cores import Cores
from devices.samples import Samples
from devices.session import Session
from devices.targets import Target
from devices.worker import SessionLost, open_session
from exporters.artifact import Artifact
from exporters.cache import Cache
from models.zoo import find
from system.errors import UserError

# Arithmetic: eight 3x3 convolutions on 56x56, 0.9 billion multiply-accumulates. Exchange: depthwise 7x7 convolutions on
# up to 112x112, little arithmetic on much that the cores pass each other; 1.5 times slower under two last-level caches.
_NETWORKS = {
    "arithmetic": "zennet:SuperConvK3BNRELU(3,64,4,1)SuperConvK3BNRELU(64,64,1,8)@224",
    "exchange": "zennet:SuperConvK3BNRELU(3,16,2,1)SuperResIDWE1K7(16,40,2,40,1)SuperResIDWE1K7(40,64,2,64,1)"
    "SuperResIDWE4K7(64,96,2,96,2)@224",
}
_RUNS = {"arithmetic": 1, "exchange": 3}
# A reading this young, taken after one visit, serves as the one before the next.
_FRESH_S = 0.05
# While the machine is disturbed, its cores are brought together for this long between two readings.
_GATHER_S = 0.1


class Work:
    """A reference work's session; loaded once more where its process dies, which is no network's fault."""

    def __init__(self, artifact: Artifact, target: Target, *, timeout_s: float) -> None:
        self._open = functools.partial(open_session, artifact, target, timeout_s=timeout_s)
        self._session = self._load()

    def run(self, count: int) -> Samples:
        """Run `count` inferences. Raises UserError where the work can't be run any more."""
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
    return UserError("a reference work can't be run", found=str(lost), fix="free memory, then go on with --resume")


class Reference:
    """Readings of the reference works; without works there are none."""

    def __init__(self, works: Mapping[str, Work] | None = None, cores: Cores | None = None) -> None:
        self._works = works or {}
        self._cores = cores
        self._last: tuple[float, Readings] | None = None

    def before(self, limits: Limits, patience_s: float) -> Readings:
        """The readings before a visit; while they show a disturbance, wait for better ones, `patience_s` at most."""
        fresh = self._last is not None and time.monotonic() - self._last[0] <= _FRESH_S
        readings = self._last[1] if fresh and self._last else self.after()
        end_s = time.monotonic() + patience_s
        while limits.reference_s and not undisturbed(readings, limits) and time.monotonic() < end_s:
            if self._cores is not None:
                self._cores.gather(_GATHER_S)
            readings = self.after()
        return readings

    def after(self) -> Readings:
        """The readings after a visit."""
        readings = {}
        for name, work in self._works.items():
            work.run(1)  # brings its weights back into the caches
            readings[name] = work.run(_RUNS[name])
        self._last = time.monotonic(), readings
        return readings


def reference_artifacts(target: Target, artifacts: Path) -> dict[str, Artifact]:
    """The works' files, for a target whose work this machine's own processor does; none for any other.

    Raises UserError where one can't be made.
    """
    if target.device != "CPU":
        return {}
    if importlib.util.find_spec("onnxruntime") is None:
        raise UserError(
            "the reference works run on ONNX Runtime", found="it is not installed", fix="pip install '.[cpu]'"
        )
    cache = Cache(artifacts)
    return {name: cache.obtain(_target(target).job(find(network)[0])) for name, network in _NETWORKS.items()}


@contextmanager
def reference_for(target: Target, works: Mapping[str, Artifact], *, timeout_s: float) -> Iterator[Reference]:
    """The reference of a sweep, each work in a process of its own. Raises UserError where one can't be run."""
    with ExitStack() as stack:
        cores = stack.enter_context(closing(Cores()))
        loaded = {
            name: stack.enter_context(closing(Work(artifact, _target(target), timeout_s=timeout_s)))
            for name, artifact in works.items()
        }
        yield Reference(loaded, cores)


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
