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
from devices.worker import NoRoom, SessionLost, open_session


class Sessions:
    """Loads sessions when they are asked for; `tell` hears of each that was loaded and warmed up."""

    def __init__(self, target: Target, protocol: Protocol, tell: Callable[[Opened], None]) -> None:
        self._target, self._protocol, self._tell = target, protocol, tell
        self._open: dict[str, Session] = {}  # in the order of their last use
        self._ahead: dict[str, Session | SessionLost] = {}  # opened and not warmed up yet, or why they couldn't be
        self._room = Room()
        self._clock_s = functools.partial(runtime_of(target).now_s, target)
        self.loading_s = 0.0  # what loading and warming up took so far

    def open_first(self, runs: Sequence[NetworkRun]) -> list[NetworkRun]:
        """The networks in the same order, those with an open session first: so none is closed before it was used."""
        return sorted(runs, key=lambda run: run.name not in self._open)

    def has_room(self, run: NetworkRun) -> bool:
        """Whether a network's session can be loaded and none closed for it."""
        return not self._open or run.name in self._ahead or self._room.fits(self._load_of(run))

    def open_ahead(self, runs: Sequence[NetworkRun]) -> None:
        """Open the sessions of several networks at once; each is warmed up alone, when it is asked for.

        Opening one keeps one core busy. On a phone, on a device with a memory of its own, and where there isn't room
        for all of these, each is opened when it is asked for.
        """
        runtime = runtime_of(self._target)
        in_this_memory = not runtime.in_process and runtime.free_bytes(self._target) is None
        waiting = [run for run in runs if run.name not in self._open]
        if in_this_memory and waiting and self._room.fits(*map(self._load_of, waiting)):
            begun_s = self._clock_s()
            with ThreadPoolExecutor(max_workers=len(waiting)) as pool:
                outcomes = pool.map(self._opened_or_why_not, waiting)
                self._ahead.update(zip([run.name for run in waiting], outcomes, strict=True))
            self.loading_s += self._clock_s() - begun_s

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
        for sessions in (self._open, self._ahead):
            session = sessions.pop(run.name, None)
            if session is not None and not isinstance(session, SessionLost):
                session.close()

    def close_all(self) -> None:
        """End every session, all at once: a process on a GPU takes a while to end."""
        ahead = [each for each in self._ahead.values() if not isinstance(each, SessionLost)]
        sessions = [*self._open.values(), *ahead]
        self._open.clear()
        self._ahead.clear()
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
            session = self._ahead.pop(run.name, None) or self._opened_or_why_not(run)
            if isinstance(session, SessionLost):
                raise session
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

    def _opened_or_why_not(self, run: NetworkRun) -> Session | SessionLost:
        try:
            return open_session(self._load_of(run).artifact, self._target, timeout_s=self._protocol.timeout_s)
        except SessionLost as lost:
            return lost

    def _load_of(self, run: NetworkRun) -> Load:
        assert run.artifact is not None
        return Load(self._target, run.artifact)
