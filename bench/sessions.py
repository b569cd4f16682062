"""The sessions that are loaded: a sweep's, or as many as there is room for, the least recently used closed first."""

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from bench.measure import warm_up
from bench.protocol import Protocol
from bench.records.journal import Opened
from bench.records.network_run import NetworkRun
from bench.room import Load, Room
from devices.runtime import runtime_of
from devices.session import Session
from devices.targets import Target
from devices.worker import NoRoom, open_session


class Sessions:
    """Loads sessions when they are asked for; `tell` hears of each that was loaded and warmed up."""

    def __init__(self, target: Target, protocol: Protocol, tell: Callable[[Opened], None]) -> None:
        self._target, self._protocol, self._tell = target, protocol, tell
        self._open: dict[str, Session] = {}  # in the order of their last use
        self._room = Room()
        self._clock_s = functools.partial(runtime_of(target).now_s, target)
        self.loading_s = 0.0  # what loading and warming up took so far

    def open_first(self, runs: Sequence[NetworkRun]) -> list[NetworkRun]:
        """The networks in the same order, those with an open session first: so none is closed before it was used."""
        return sorted(runs, key=lambda run: run.name not in self._open)

    def has_room(self, run: NetworkRun) -> bool:
        """Whether a network's session can be loaded and none closed for it."""
        return not self._open or self._room.fits(self._load_of(run))

    def of(self, run: NetworkRun) -> Session:
        """The warm session of a network. Raises SessionLost where it can't be loaded or fails in its warm-up."""
        session = self._open.pop(run.name, None)
        if session is None:
            begun_s = self._clock_s()
            try:
                session = self._load(run)
            finally:
                self.loading_s += self._clock_s() - begun_s
        self._open[run.name] = session
        return session

    def close(self, run: NetworkRun) -> None:
        """End a network's session, if it has one."""
        if session := self._open.pop(run.name, None):
            session.close()

    def close_all(self) -> None:
        """End every session, all at once: a process on a GPU takes a while to end."""
        sessions = list(self._open.values())
        self._open.clear()
        with ThreadPoolExecutor(max_workers=max(1, len(sessions))) as pool:
            list(pool.map(lambda session: session.close(), sessions))

    def _load(self, run: NetworkRun) -> Session:
        while not self.has_room(run):
            self._open.pop(next(iter(self._open))).close()
        try:
            return self._load_warm(run)
        except NoRoom:
            if not self._open:
                raise
        self.close_all()  # it takes more than was expected
        return self._load_warm(run)

    def _load_warm(self, run: NetworkRun) -> Session:
        load = self._load_of(run)
        with self._room.learning(load):
            session = open_session(load.artifact, self._target, timeout_s=self._protocol.timeout_s)
            try:
                warmup_s = warm_up(session, self._protocol)
            except BaseException:
                session.close()
                raise
        self._tell(
            Opened(
                network=run.network,
                artifact=load.artifact,
                ran_on=session.ran_on,
                clock=session.clock,
                warmup_s=warmup_s,
            )
        )
        return session

    def _load_of(self, run: NetworkRun) -> Load:
        assert run.artifact is not None
        return Load(self._target, run.artifact)
