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

    def open_first(self, cells: Sequence[NetworkRun]) -> list[NetworkRun]:
        """The cells in the same order, those with an open session first: so none is closed before it was used."""
        return sorted(cells, key=lambda cell: cell.name not in self._open)

    def has_room(self, cell: NetworkRun) -> bool:
        """Whether a cell's session can be loaded and none closed for it."""
        return not self._open or cell.name in self._ahead or self._room.fits(self._load_of(cell))

    def open_ahead(self, cells: Sequence[NetworkRun]) -> None:
        """Open the sessions of several cells at once; each is warmed up alone, when it is asked for.

        Opening one keeps one core busy. On a phone, on a device with a memory of its own, and where there isn't room for
        all of these, each is opened when it is asked for.
        """
        runtime = runtime_of(self._target)
        in_this_memory = not runtime.in_process and runtime.free_bytes(self._target) is None
        waiting = [cell for cell in cells if cell.name not in self._open]
        if in_this_memory and waiting and self._room.fits(*map(self._load_of, waiting)):
            begun_s = self._clock_s()
            with ThreadPoolExecutor(max_workers=len(waiting)) as pool:
                outcomes = pool.map(self._opened_or_why_not, waiting)
                self._ahead.update(zip([cell.name for cell in waiting], outcomes, strict=True))
            self.loading_s += self._clock_s() - begun_s

    def of(self, cell: NetworkRun) -> Session:
        """The warm session of a cell. Raises SessionLost where it can't be loaded or fails in its warm-up."""
        session = self._open.pop(cell.name, None)
        if session is None:
            begun_s = self._clock_s()
            try:
                session = self._load(cell)
            finally:
                self.loading_s += self._clock_s() - begun_s
        self._open[cell.name] = session
        return session

    def close(self, cell: NetworkRun) -> None:
        """End a cell's session, if it has one."""
        for sessions in (self._open, self._ahead):
            session = sessions.pop(cell.name, None)
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

    def _load(self, cell: NetworkRun) -> Session:
        while not self.has_room(cell):
            self._open.pop(next(iter(self._open))).close()
        try:
            return self._load_warm(cell)
        except NoRoom:
            if not self._open:
                raise
        self.close_all()  # it takes more than was expected
        return self._load_warm(cell)

    def _load_warm(self, cell: NetworkRun) -> Session:
        load = self._load_of(cell)
        with self._room.learning(load):
            session = self._ahead.pop(cell.name, None) or self._opened_or_why_not(cell)
            if isinstance(session, SessionLost):
                raise session
            try:
                warmup_s = warm_up(session, self._protocol)
            except BaseException:
                session.close()
                raise
        self._tell(
            Opened(
                network=cell.network,
                artifact=load.artifact,
                ran_on=session.ran_on,
                clock=session.clock,
                warmup_s=warmup_s,
            )
        )
        return session

    def _opened_or_why_not(self, cell: NetworkRun) -> Session | SessionLost:
        try:
            return open_session(self._load_of(cell).artifact, self._target, timeout_s=self._protocol.timeout_s)
        except SessionLost as lost:
            return lost

    def _load_of(self, cell: NetworkRun) -> Load:
        assert cell.artifact is not None
        return Load(self._target, cell.artifact)
