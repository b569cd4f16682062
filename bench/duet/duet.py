"""One target's duet: load both sides of every network, and take turns until the budget is gone.

Each network's two processes are closed and started again `process_pairs` times, since processes of one file differ
for life. Between two such times the networks get blocks of turns in shuffled order. The budget is of sampling, which
loading is not.
"""

import functools
import itertools
import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace

import msgspec

from bench.duet.files import prepare
from bench.duet.ledger import DuetLedger, DuetRun
from bench.duet.processes import SIDES, OpenPair, SideLost
from bench.duet.record import Duet, Lost, SideName
from bench.duet.request import DuetRequest
from bench.duet.schedule import least_turns, next_pass, orders
from bench.progress import stage
from bench.records.sole_writer import sole_writer
from bench.room import Load, Room
from devices.runtime import runtime_of
from devices.targets import Target


def play(request: DuetRequest) -> list[Duet]:
    """Measure every model of `request` and return the records, which lie in `results/duets/TARGET.jsonl` by then.

    They lie there too where this is interrupted. Raises UserError where another duet writes there, nothing can be
    written, or no device can be held.
    """
    folder = request.results / "duets"
    with sole_writer(folder, request.new.name):
        ledger = DuetLedger(folder, request.new.name)
        ledger.begin(list(request.said), request.settings)
        try:
            ledger.runs = {run.name: run for run in prepare(request)}
            with _one_device(request, list(ledger.runs.values())) as held:
                _Sampling(held, ledger).all()
        except BaseException:
            ledger.end()
            raise
        return ledger.end()


@contextmanager
def _one_device(request: DuetRequest, runs: Sequence[DuetRun]) -> Iterator[DuetRequest]:
    """Hold one device for both sides while the block lasts: the request and the runs, with its name in the options."""
    with runtime_of(request.new).hold(request.new) as held:
        named = {name: value for name, value in held.target.options.items() if request.new.options.get(name) != value}

        def on_it(target: Target) -> Target:
            return msgspec.structs.replace(target, options=target.options | named) if named else target

        for run in runs:
            run.old = msgspec.structs.replace(run.old, target=on_it(run.old.target))
            run.new = msgspec.structs.replace(run.new, target=on_it(run.new.target))
        yield replace(request, old=on_it(request.old), new=on_it(request.new))


class _Sampling:
    """The turns of a whole duet, in as many groups of networks as memory and the device need."""

    def __init__(self, request: DuetRequest, ledger: DuetLedger) -> None:
        self._settings, self._ledger = request.settings, ledger
        self._runs = list(ledger.runs.values())
        self._clock_s = functools.partial(runtime_of(request.new).now_s, request.new)
        self._begun_s, self._spent_s = self._clock_s(), 0.0
        self._room = Room()
        self._random = random.Random(request.settings.seed)
        self._orders = {run.name: orders(random.Random(self._random.random())) for run in self._runs}

    def all(self) -> None:
        """Open every network's two processes `process_pairs` times, and sample a share of the budget each time."""
        settings, opened = self._settings, 0
        planned = settings.process_pairs * len(self._runs)
        for number in range(settings.process_pairs):
            waiting = list(self._runs)
            self._random.shuffle(waiting)
            while waiting:
                before = len(waiting)
                with ExitStack() as closing_all:
                    group = self._open(waiting, number, closing_all)
                    opened += before - len(waiting)
                    self._sample(group, least_turns(settings, number), settings.budget_s * opened / planned)

    def _open(self, waiting: list[DuetRun], number: int, closing_all: ExitStack) -> dict[str, OpenPair]:
        """Load as many of the waiting networks as there is room for, at least one, and take them off the list."""
        group: dict[str, OpenPair] = {}
        with stage("load", len(waiting)) as bar:
            while waiting and (not group or self._fits(waiting[0])):
                run = waiting[0]
                bar.at(len(group), run.name)
                first: SideName = SIDES[(number + self._runs.index(run)) % 2]
                try:
                    if run.lost is None:
                        group[run.name] = closing_all.enter_context(closing(self._load(run, number, first)))
                except SideLost as lost:
                    if lost.no_room and group:
                        break  # it is tried again once this group is closed
                    run.lost = Lost(side=lost.side, reason=str(lost))
                waiting.pop(0)
        return group

    def _load(self, run: DuetRun, number: int, first: SideName) -> OpenPair:
        pair = OpenPair(run, number, first, self._settings, self._room)
        self._ledger.opened(run, pair.record)
        return pair

    def _fits(self, run: DuetRun) -> bool:
        """Whether there is room for both sides; a network that is lost already takes none."""
        loads = [Load(side.target, side.artifact) for side in (run.old, run.new) if side.artifact is not None]
        return run.lost is not None or self._room.fits(*loads)

    def _sample(self, group: dict[str, OpenPair], least: int, until_s: float) -> None:
        """Take turns with the networks of a group until so much of the budget is spent, and each has its least."""
        runs = [self._ledger.runs[name] for name in group]
        with stage("measure", self._settings.budget_s) as bar:
            while chosen := next_pass(runs, least, self._spent_s < until_s):
                self._random.shuffle(chosen)
                for run in chosen:
                    if len(run.turns) < least or self._spent_s < until_s:
                        self._block(run, group[run.name])
                    bar.at(self._spent_s, run.name)

    def _block(self, run: DuetRun, pair: OpenPair) -> None:
        try:
            for first in itertools.islice(self._orders[run.name], self._settings.block_turns):
                turn = pair.turn(first, self._begun_s)
                self._spent_s += turn.took_s
                self._ledger.taken(run, turn)
        except SideLost as lost:
            run.lost = Lost(side=lost.side, reason=str(lost))
