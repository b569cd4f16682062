"""`Ledger`: what a sweep has on disk, so that nothing measured is lost whenever it ends."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from bench.protocol import Protocol
from bench.records.conditions import Conditions
from bench.records.journal import Journal, Opened, Started, Visited
from bench.records.network_run import NetworkRun
from bench.records.record import Network, Record
from bench.records.store import append_line, read_records
from bench.trust.baseline import Baseline, best_of_earlier
from bench.trust.rejection import Limits, Visit
from bench.trust.verdict import judge
from devices.host.conditions import machine, moment
from devices.targets import Target
from system.errors import UserError

# Of the machine that a sweep began on, what must be the same where it goes on.
_SAME = ("cpu", "usable_cores", "memory_bytes", "kernel", "versions")


class Ledger:
    """The cells of one target's sweep: those with a record, and those that the journal still holds.

    `elapsed_s` is the sampling time that the journal accounts for.
    """

    def __init__(self, results: Path, target: str) -> None:
        self.file = results / f"{target}.jsonl"
        self.journal = Journal(results, target)
        self.started: Started | None = None
        self.cells: dict[str, NetworkRun] = {}
        self.records: dict[str, Record] = {}
        self.elapsed_s = 0.0
        self._baseline: Baseline

    def begin(self, target: Target, protocol: Protocol) -> Started:
        """Begin a new sweep; what an interrupted one measured becomes records first."""
        self._replay()
        self.end()
        self.cells, self.records, self.elapsed_s = {}, {}, 0.0
        started = Started(
            sweep=uuid.uuid4().hex[:12],
            target=target,
            protocol=protocol,
            conditions=Conditions(machine=machine(), start=moment()),
        )
        self._take_up(started)
        self.journal.append(started)
        return started

    def resume(self, target: Target, protocol: Protocol) -> Started:
        """Take up the last sweep: the journal's if it was interrupted, else the newest record's; begin without one.

        Raises UserError where the last sweep was measured by another protocol, on a target of other options, or on
        another machine or versions.
        """
        self._replay()
        if self.started is None:
            newest = next(reversed(read_records(self.file)), None)
            if newest is None:
                return self.begin(target, protocol)
            self._take_up(_started_by(newest))
            self._recall()
            assert self.started is not None
            self.journal.append(self.started)
        then, now = (msgspec.structs.asdict(found) for found in (self.started.conditions.machine, machine()))
        differing = [
            *_differing("target", msgspec.structs.asdict(self.started.target), msgspec.structs.asdict(target)),
            *_differing("protocol", msgspec.structs.asdict(self.started.protocol), msgspec.structs.asdict(protocol)),
            *_differing("machine", *({key: found[key] for key in _SAME} for found in (then, now))),
        ]
        if differing:
            raise UserError(
                f"--resume would mix two measurements in sweep {self.started.sweep}",
                found=", ".join(differing),
                fix="give the same options on the same machine, or leave --resume out",
            )
        return self.started

    def cell(self, network: Network) -> NetworkRun:
        """The cell of a network, new or with what the journal holds of it."""
        return self.cells.setdefault(network.name, NetworkRun(network))

    def opened(self, entry: Opened) -> None:
        """Keep that a session was loaded."""
        self.cell(entry.network).opened(entry)
        self.journal.append(entry)

    def visited(self, cell: NetworkRun, visit: Visit) -> None:
        """Keep what a visit measured."""
        cell.visits.append(visit)
        self._baseline.add(visit)
        self.journal.append(Visited(model=cell.name, visit=visit))

    def finish(self, cell: NetworkRun) -> None:
        """Write a cell's record, unless it has one."""
        if self.started is None or cell.name in self.records:
            return
        measurement = cell.measurement(self.limits())
        record = Record(
            sweep=self.started.sweep,
            model=cell.network,
            target=self.started.target,
            protocol=self.started.protocol,
            artifact=cell.artifact,
            conditions=msgspec.structs.replace(self.started.conditions, end=moment()),
            measurement=measurement,
            verdict=judge(measurement, self.started.protocol) if measurement else None,
            reason=cell.reason,
        )
        append_line(self.file, record)
        self.records[cell.name] = record

    def limits(self) -> Limits:
        """What a round must keep to count, by every reading of the references so far, whichever cell's."""
        return self._baseline.limits()

    def end(self) -> None:
        """Write the records of all cells that were measured, then remove the journal."""
        for cell in self.cells.values():
            if cell.visits:
                self.finish(cell)
        self.journal.end()

    def _replay(self) -> None:
        for entry in self.journal.entries():
            match entry:
                case Started():
                    self._take_up(entry)
                    self._recall()
                case Opened():
                    self.cell(entry.network).opened(entry)
                case Visited() if cell := self.cells.get(entry.model):
                    cell.visits.append(entry.visit)
                    self._baseline.add(entry.visit)
                    self.elapsed_s = max(self.elapsed_s, entry.visit.end_s)

    def _take_up(self, started: Started) -> None:
        self.started = started
        this_machine = msgspec.structs.asdict(started.conditions.machine)
        earlier_s = best_of_earlier(self.file, this_machine, but=started.sweep)
        self._baseline = Baseline(started.protocol, earlier_s)

    def _recall(self) -> None:
        """The records that the sweep has already."""
        assert self.started is not None
        sweep = self.started.sweep
        self.records = {record.model.name: record for record in read_records(self.file) if record.sweep == sweep}


def _started_by(record: Record) -> Started:
    conditions = msgspec.structs.replace(record.conditions, end=None)
    return Started(sweep=record.sweep, target=record.target, protocol=record.protocol, conditions=conditions)


def _differing(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [f"{kind} {field} was {old[field]!r}, now {new[field]!r}" for field in old if old[field] != new[field]]
