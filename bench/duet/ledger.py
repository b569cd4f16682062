"""`DuetLedger`: what a duet has on disk, so that nothing measured is lost whenever it ends.

`results/duets/TARGET.journal` holds every turn before the next begins; at the end, however it comes, they become
records, a line a network of `results/duets/TARGET.jsonl`. A journal that a killed duet left becomes records when the
next duet of that target begins.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from bench.duet.ratio import differing, fit
from bench.duet.record import Duet, DuetSide, Lost, ProcessPair, Turn, by_pair, read_duets
from bench.duet.settings import DuetSettings
from bench.records.journal import put_aside
from bench.records.record import Network
from bench.records.store import append_line, read_lines
from devices.host.conditions import machine, moment
from system.unreadable import UNREADABLE


class DuetBegun(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A duet's first line."""

    duet: str
    against: list[str]
    settings: DuetSettings
    conditions: dict[str, Any]


class PairOpened(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Both sides of a network were loaded and warmed up."""

    network: Network
    old: DuetSide
    new: DuetSide
    process_pair: ProcessPair


class TurnTaken(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A turn ended."""

    model: str
    turn: Turn


@dataclass
class DuetRun:
    """One network while a duet measures it; `lost` says why it can't go on."""

    network: Network
    old: DuetSide
    new: DuetSide
    process_pairs: list[ProcessPair] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    log_ratios: list[float] = field(default_factory=list)  # of the turns that count
    lost: Lost | None = None

    @property
    def name(self) -> str:
        """The network's name."""
        return self.network.name

    def took(self, turn: Turn, lost_share: float) -> None:
        """Take note of a turn."""
        self.turns.append(turn)
        if (log_ratio := turn.log_ratio(lost_share)) is not None:
            self.log_ratios.append(log_ratio)


_decoder: msgspec.json.Decoder[DuetBegun | PairOpened | TurnTaken] = msgspec.json.Decoder(
    DuetBegun | PairOpened | TurnTaken
)


class DuetLedger:
    """The networks of one duet, by name, in memory and on disk."""

    def __init__(self, folder: Path, target: str) -> None:
        self.file, self._journal = folder / f"{target}.jsonl", folder / f"{target}.journal"
        self.runs: dict[str, DuetRun] = {}
        self._begun: DuetBegun

    def begin(self, against: list[str], settings: DuetSettings) -> None:
        """Begin a duet; what one that was killed measured becomes records first."""
        if self._replay():
            self._forget_recorded()
            self.end()
        self._journal.unlink(missing_ok=True)
        self.runs = {}
        self._begun = DuetBegun(
            duet=uuid.uuid4().hex[:12],
            against=against,
            settings=settings,
            conditions={"machine": msgspec.to_builtins(machine()), "start": msgspec.to_builtins(moment())},
        )
        append_line(self._journal, self._begun)

    def opened(self, run: DuetRun, process_pair: ProcessPair) -> None:
        """Keep that both sides were loaded; `run.old` and `run.new` say where they truly run by then."""
        run.process_pairs.append(process_pair)
        append_line(self._journal, PairOpened(network=run.network, old=run.old, new=run.new, process_pair=process_pair))

    def taken(self, run: DuetRun, turn: Turn) -> None:
        """Keep a turn."""
        run.took(turn, self._begun.settings.lost_share)
        append_line(self._journal, TurnTaken(model=run.name, turn=turn))

    def end(self) -> list[Duet]:
        """Write the record of every network that was begun or lost, then remove the journal."""
        duets = self._records([run for run in self.runs.values() if run.turns or run.lost])
        for duet in duets:
            append_line(self.file, duet)
        self._journal.unlink(missing_ok=True)
        return duets

    def _records(self, runs: list[DuetRun]) -> list[Duet]:
        begun, settings = self._begun, self._begun.settings
        estimates = fit({run.name: by_pair(run.turns, settings.lost_share) for run in runs}, settings)
        known = {name: estimate for name, estimate in estimates.items() if estimate is not None}
        different = differing(known, settings.alpha)
        conditions = begun.conditions | {"end": msgspec.to_builtins(moment())}
        return [
            Duet(
                duet=begun.duet,
                model=run.network,
                against=begun.against,
                settings=settings,
                conditions=conditions,
                old=run.old,
                new=run.new,
                process_pairs=run.process_pairs,
                turns=run.turns,
                estimate=estimates[run.name],
                different=None if estimates[run.name] is None else run.name in different,
                lost=run.lost,
            )
            for run in runs
        ]

    def _forget_recorded(self) -> None:
        """Forget the networks whose records the killed duet had written."""
        written = {duet.model.name for duet in read_duets(self.file) if duet.duet == self._begun.duet}
        self.runs = {name: run for name, run in self.runs.items() if name not in written}

    def _replay(self) -> bool:
        """Read the journal, passing over what was torn; whether it tells of a duet.

        One whose duet can't be read is put aside, since its turns can't be assigned to one.
        """
        entries = list(self._entries())
        if not entries or not isinstance(entries[0], DuetBegun):
            if entries:
                put_aside(self._journal, "duet")
            return False
        for entry in entries:
            match entry:
                case DuetBegun():
                    self._begun = entry
                case PairOpened(network=network, old=old, new=new):
                    run = self.runs.setdefault(network.name, DuetRun(network, old, new))
                    run.process_pairs.append(entry.process_pair)
                case TurnTaken() if known := self.runs.get(entry.model):
                    known.took(entry.turn, self._begun.settings.lost_share)
        return True

    def _entries(self) -> Iterator[DuetBegun | PairOpened | TurnTaken]:
        for _, line in read_lines(self._journal):
            try:
                yield _decoder.decode(line)
            except UNREADABLE:
                continue
