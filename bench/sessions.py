"""The sessions that are loaded: all of a sweep's, or as many as memory holds, the least recently used closed first."""

import sys
from collections.abc import Callable

from bench.measure import warm_up
from bench.protocol import Protocol
from bench.records.journal import Opened
from bench.records.network_run import NetworkRun
from devices.runtime import runtime_of
from devices.session import Session
from devices.targets import Target
from devices.worker import open_session
from exporters.artifact import Artifact
from system.machine import available_bytes

# A session takes up to this many times its file while it loads (file, parsed graph, weights in the kernels' layout).
_FILES_A_SESSION = 3
_SPARE_BYTES = 1_000_000_000


def has_room(target: Target, *artifacts: Artifact) -> bool:
    """Whether this machine's memory has room for sessions of these files, some to spare."""
    needed_bytes = sum(artifact.size_bytes for artifact in artifacts) * _FILES_A_SESSION + _SPARE_BYTES
    return runtime_of(target).elsewhere or available_bytes() >= needed_bytes


class Sessions:
    """Loads sessions when they are asked for; `tell` hears of each that was loaded and warmed up."""

    def __init__(self, target: Target, protocol: Protocol, tell: Callable[[Opened], None]) -> None:
        self._target, self._protocol, self._tell = target, protocol, tell
        self._open: dict[str, Session] = {}  # in the order of their last use
        runtime = runtime_of(target)
        self._most = runtime.sessions_at_once(target) or sys.maxsize
        self._clock_s = runtime.now_s
        self.loading_s = 0.0  # what loading and warming up took so far

    def of(self, cell: NetworkRun) -> Session:
        """The warm session of a cell. Raises SessionLost where it can't be loaded or fails in its warm-up."""
        name = cell.name
        session = self._open.pop(name, None)
        if session is None:
            begun_s = self._clock_s()
            try:
                session = self._load(cell)
            finally:
                self.loading_s += self._clock_s() - begun_s
        self._open[name] = session
        return session

    def close(self, cell: NetworkRun) -> None:
        """End a cell's session, if it has one."""
        if session := self._open.pop(cell.name, None):
            session.close()

    def close_all(self) -> None:
        """End every session."""
        while self._open:
            self._open.popitem()[1].close()

    def _load(self, cell: NetworkRun) -> Session:
        assert cell.artifact is not None
        while self._open and (len(self._open) >= self._most or not has_room(self._target, cell.artifact)):
            self._open.pop(next(iter(self._open))).close()
        session = open_session(cell.artifact, self._target, timeout_s=self._protocol.timeout_s)
        try:
            warmup_s = warm_up(session, self._protocol)
        except BaseException:
            session.close()
            raise
        self._tell(
            Opened(
                network=cell.network,
                artifact=cell.artifact,
                ran_on=session.ran_on,
                clock=session.clock,
                warmup_s=warmup_s,
            )
        )
        return session
