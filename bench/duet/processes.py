"""The sessions of a duet: both sides of a network, in a process each, loaded and closed together."""

import functools
import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import msgspec

from bench.duet.ledger import DuetRun
from bench.duet.record import DuetSide, ProcessPair, SideName, SideVisit, Turn
from bench.duet.settings import DuetSettings
from bench.measure import warm_up
from bench.room import Load, Room
from devices.other_python import OtherPythonSession
from devices.runtime import runtime_of
from devices.samples import Samples
from devices.session import Session
from devices.worker import NoRoom, SessionLost, open_session

SIDES: tuple[SideName, SideName] = ("old", "new")
_MOST_COUNTED = 1_000  # inferences a visit: every one is in the record


class SideLost(Exception):  # noqa: N818 - it ends one network, not the program
    """A side that can't go on, with the reason in one line; `no_room` where its device's memory was full."""

    def __init__(self, side: SideName, lost: SessionLost) -> None:
        super().__init__(str(lost))
        self.side, self.no_room = side, isinstance(lost, NoRoom)


class OpenPair:
    """Both sides of one network, loaded and warm. Raises SideLost where one can't be loaded or run."""

    def __init__(self, run: DuetRun, number: int, first: SideName, settings: DuetSettings, room: Room) -> None:
        self._settings, self._room = settings, room
        self._clock_s = functools.partial(runtime_of(run.new.target).now_s, run.new.target)
        self._sessions: dict[SideName, Session] = {}
        self._closing = ExitStack()
        warmup_s: dict[SideName, list[float]] = {}
        with ExitStack() as unless_both:
            unless_both.callback(self.close)
            self._open_both(run)
            for side in _from(first):
                warmup_s[side] = self._warm_up(side)
            unless_both.pop_all()
        each_s = median(warmup_s["old"] or [math.inf])
        self._settling = settings.settle_samples if each_s < settings.settle_s else 0
        self._counted = max(1, min(_MOST_COUNTED, round(settings.fill_s / each_s)))
        run.old, run.new = _running(run.old, self._sessions["old"]), _running(run.new, self._sessions["new"])
        self.record = ProcessPair(
            number=number, first=first, old_warmup_s=warmup_s["old"], new_warmup_s=warmup_s["new"]
        )

    def turn(self, first: SideName, begun_s: float) -> Turn:
        """Visit both sides, `first` first; `begun_s` is when the duet began, on its clock."""
        at_s = self._clock_s()
        visits = {side: self._visit(side) for side in _from(first)}
        return Turn(
            process_pair=self.record.number,
            first=first,
            at_s=at_s - begun_s,
            took_s=self._clock_s() - at_s,
            old=visits["old"],
            new=visits["new"],
        )

    def close(self) -> None:
        """End both processes."""
        self._closing.close()

    def _open_both(self, run: DuetRun) -> None:
        """Load both sides, at once where that is the work of one core of this machine each; it is not timed.

        On a device they come one after the other: it may time kernels meanwhile, and its free memory is compared.
        """
        targets = (run.old.target, run.new.target)
        on_device = any(runtime_of(each).elsewhere or runtime_of(each).free_bytes(each) is not None for each in targets)
        with ThreadPoolExecutor(1 if on_device else len(SIDES)) as pool:
            opening = {side: pool.submit(self._open, side, run.old if side == "old" else run.new) for side in SIDES}
        self._sessions |= {side: future.result() for side, future in opening.items()}

    def _open(self, side: SideName, found: DuetSide) -> Session:
        assert found.artifact is not None
        timeout_s = self._settings.timeout_s
        try:
            with self._room.learning(Load(found.target, found.artifact)):
                if found.python is None:
                    session = open_session(found.artifact, found.target, timeout_s=timeout_s)
                else:
                    python = Path(found.python)
                    session = OtherPythonSession(python, found.artifact, found.target, timeout_s=timeout_s)
        except SessionLost as lost:
            raise SideLost(side, lost) from lost
        self._closing.callback(session.close)
        return session

    def _warm_up(self, side: SideName) -> list[float]:
        try:
            return warm_up(self._sessions[side], self._settings.warm_up())
        except SessionLost as lost:
            raise SideLost(side, lost) from lost

    def _visit(self, side: SideName) -> SideVisit:
        session, settling = self._sessions[side], self._settling
        try:
            if session.aggregates:
                return SideVisit(settle_s=[], samples=session.run(1))
            samples = session.run(settling + self._counted)
        except SessionLost as lost:
            raise SideLost(side, lost) from lost
        return SideVisit(settle_s=samples.seconds[:settling], samples=_without_first(samples, settling))


def _from(first: SideName) -> tuple[SideName, SideName]:
    return SIDES if first == "old" else ("new", "old")


def _running(side: DuetSide, session: Session) -> DuetSide:
    return msgspec.structs.replace(side, ran_on=session.ran_on, clock=session.clock)


def _without_first(samples: Samples, count: int) -> Samples:
    return Samples(
        seconds=samples.seconds[count:],
        evidence={name: values[count:] for name, values in samples.evidence.items()},
        conditions=samples.conditions,
    )
