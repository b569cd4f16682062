"""The reference: fixed work whose time, right before and right after a visit, shows what the machine gave meanwhile.

Neighbours on the host, shared caches and clocks slow a network down without a trace in this system's counters. They
slow this down too: a small network of eight 3x3 convolutions on 56x56, 0.9 billion multiply-accumulates, on ONNX
Runtime with the threads of the target.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.trust import Limits, undisturbed
from devices.samples import Samples
from devices.session import Session
from devices.targets import Target
from devices.worker import open_session
from exporters.artifact import Artifact
from exporters.cache import Cache
from models.zoo import find

_NETWORK = "zennet:SuperConvK3BNRELU(3,64,4,1)SuperConvK3BNRELU(64,64,1,8)@224"
# A reading this young, taken after one visit, serves as the one before the next.
_FRESH_S = 0.05


class Reference:
    """Readings of the reference work; without a session there are none."""

    def __init__(self, session: Session | None = None) -> None:
        self._session = session
        self._last: tuple[float, Samples] | None = None

    def before(self, limits: Limits, patience_s: float) -> Samples | None:
        """The reading before a visit; while it shows a disturbance, wait for a better one, `patience_s` at most."""
        fresh = self._last is not None and time.monotonic() - self._last[0] <= _FRESH_S
        reading = self._last[1] if fresh and self._last else self.after()
        end_s = time.monotonic() + patience_s
        while reading is not None and limits.reference_s and not undisturbed(reading, limits):
            if time.monotonic() >= end_s:
                break
            reading = self.after()
        return reading

    def after(self) -> Samples | None:
        """The reading after a visit."""
        if self._session is None:
            return None
        self._session.run(1)  # brings its weights back into the caches
        reading = self._session.run(1)
        self._last = time.monotonic(), reading
        return reading


def reference_artifact(target: Target, artifacts: Path) -> Artifact | None:
    """The reference's file, for a target whose work this machine's own processor does; None for any other.

    Raises UserError where it can't be made.
    """
    if target.device != "CPU":
        return None
    return Cache(artifacts).obtain(_target(target).job(find(_NETWORK)[0]))


@contextmanager
def reference_for(target: Target, artifact: Artifact | None, *, timeout_s: float) -> Iterator[Reference]:
    """The reference of a sweep, in a process of its own. Raises SessionLost where it can't be loaded."""
    if artifact is None:
        yield Reference()
        return
    session = open_session(artifact, _target(target), timeout_s=timeout_s)
    try:
        yield Reference(session)
    finally:
        session.close()


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
