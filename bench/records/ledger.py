"""`Ledger`: what a sweep has on disk, so that nothing measured is lost whenever it ends."""

import sys
import threading
import uuid
from pathlib import Path

import msgspec

from bench.protocol import Protocol
from bench.records.conditions import Conditions
from bench.records.epoch import epoch_of
from bench.records.host import Host
from bench.records.journal import Journal, Opened, Started, Visited
from bench.records.network_run import NetworkRun
from bench.records.past import Past
from bench.records.record import Network, Record
from bench.records.resume import refuse_another
from bench.records.runs import Runs
from bench.records.store import read_records
from bench.records.written import Written
from bench.trust.fit import fit
from bench.trust.measurement import Measurement
from bench.trust.run_to_run import run_to_run
from bench.trust.visit import Visit
from devices.host.conditions import Moment
from devices.targets import Target
from exporters.artifact import Artifact

# Of many sweeps in one process one fits its numbers at a time: all visits of a sweep are unpacked then.
one_fit = threading.Lock()


class Ledger:
    """The networks of one target's sweep: those with a record, and those that the journal still holds.

    `host` is the machine that it is measured on. `elapsed_s` is the time that the journal accounts for.
    """

    def __init__(self, results: Path, target: str, host: Host) -> None:
        self.file = results / f"{target}.jsonl"
        self.journal = Journal(results, target)
        self.started: Started | None = None
        self._written = Written(self.file)
        self._runs = Runs()
        self.elapsed_s = 0.0
        self._host, self._workloads = host, host.workloads
        self._past: Past | None = None

    @property
    def records(self) -> dict[str, Record]:
        """The records that are on disk, by the names of their networks."""
        return self._written.by_name

    @property
    def runs(self) -> dict[str, NetworkRun]:
        """The runs by the names of their networks."""
        return self._runs.by_name

    def begin(self, target: Target, protocol: Protocol) -> Started:
        """Begin a new sweep; what an interrupted one measured becomes records first."""
        self._replay()
        self.end()
        self._runs, self.elapsed_s = Runs(), 0.0
        self._written.clear()
        facts = self._host.machine
        started = Started(
            sweep=uuid.uuid4().hex[:12],
            target=target,
            protocol=protocol,
            conditions=Conditions(machine=facts, start=self._host.moment()),
            epoch=epoch_of(facts, target, self._workloads),
        )
        self._take_up(started)
        self.journal.append(started)
        return started

    def resume(self, target: Target, protocol: Protocol) -> Started:
        """Take up the last sweep: the journal's if it was interrupted, else the newest record's; begin without one.

        Raises UserError where the last sweep was measured by another protocol, on a target of other options, on
        another machine or versions, or beside other reference workloads.
        """
        self._replay()
        if interrupted := self.started is not None:
            started = self.started
        else:
            newest = next(reversed(read_records(self.file)), None)
            if newest is None:
                return self.begin(target, protocol)
            started = self._started_by(newest)
            self._take_up(started)
            self._written.recall(started.sweep)
        refuse_another(started, target, protocol, self._host)
        if not interrupted:
            self.journal.append(started)
        return started

    def run(self, network: Network) -> NetworkRun:
        """The run of a network, new or with what the journal holds of it."""
        return self._runs.of(network)

    def obtained(self, run: NetworkRun, artifact: Artifact) -> None:
        """Take note of a network's file. Where there are visits of another file, that is said on stderr.

        The visits of two files are not mixed: those of the other file get a record of their own, with the reason, and
        the network is measured anew.
        """
        if visits := self._runs.take_file(run, artifact):
            kept = f"its visits so far ({visits}) get a record of their own, and it is measured anew"
            print(f"note: there is another file of {run.name}: {kept}", file=sys.stderr)  # noqa: T201

    def opened(self, entry: Opened) -> None:
        """Keep that a session was loaded, be it of another file than before."""
        run = self.run(entry.network)
        self.obtained(run, entry.artifact)
        run.opened(entry)
        self.journal.append(entry)

    def visited(self, run: NetworkRun, visit: Visit) -> None:
        """Keep what a visit measured."""
        run.visits.append(visit)
        self.elapsed_s = max(self.elapsed_s, visit.end_s)
        self.journal.append(Visited(model=run.name, visit=visit))

    def finish(self, run: NetworkRun) -> None:
        """Note that a network needs no further visit; one that can't be measured gets its record now.

        The others get theirs when the sweep ends, since every visit of every network tells of the machine.
        """
        run.done = True
        if not run.visits:
            self._write_failed(run)

    def measurements(self) -> dict[str, Measurement]:
        """What each visited network comes to, held against every visit so far, whichever network's."""
        return {name: each for name, each in self._measured().items() if name in self.runs}

    def _measured(self) -> dict[str, Measurement]:
        """The same, by the keys of `Runs.by_file`."""
        if self.started is None or self._past is None:
            return {}
        runs = self._runs.by_file()
        files = {key: run.sha256 for key, run in runs.items()}
        earlier = self._past.of(files)
        visits = {key: list(run.visits) for key, run in runs.items() if run.visits}
        bases = fit(visits, self.started.protocol.lost_share, earlier)
        measured = {key: runs[key].measurement(visits[key], basis) for key, basis in bases.items()}
        # Earlier sweeps have only networks by their own names.
        told = {name: each.told for name, each in measured.items() if name in self.runs}
        between = run_to_run(earlier.told, told)
        return {key: each.held_against(run_to_run=between) for key, each in measured.items()}

    def sampling_share(self) -> float | None:
        """The part of the sweep's time that went into inferences of networks, those that settled included."""
        return self._runs.sampling_share(self.elapsed_s)

    def end(self) -> None:
        """Write the records of all networks that were measured, then remove the journal."""
        # One moment for all: each would be a question to the host, and they are written at once.
        end = self._host.moment() if self._written.lacking(self._runs.by_file()) else None
        with one_fit:
            self._write_measured(end)
        self.journal.end()

    def _write_measured(self, end: Moment | None) -> None:
        measured, share = self._measured(), self.sampling_share()
        if self.started is not None and end is not None:
            new = self._written.lacking(self._runs.by_file())
            found = {key: measured[key].held_against(sampling_share=share) for key in new}
            self._written.write_measured(self.started, new, found, end)
        if self._past is not None:
            reference_s = next((each.basis.reference_s for each in measured.values() if each.basis), {})
            self._past.add(reference_s, self.records.values())

    def _write_failed(self, run: NetworkRun) -> None:
        """Write the record of a network that has no number, unless it has one."""
        if self.started is not None and run.name not in self.records:
            self._written.write_failed(self.started, run, self._host.moment())

    def _replay(self) -> None:
        for entry in self.journal.entries():
            match entry:
                case Started():
                    self._take_up(entry)
                    self._written.recall(entry.sweep)
                case Opened():
                    loaded = self.run(entry.network)
                    self._runs.take_file(loaded, entry.artifact)
                    loaded.opened(entry)
                case Visited() if run := self.runs.get(entry.model):
                    run.visits.append(entry.visit)
                    self.elapsed_s = max(self.elapsed_s, entry.visit.end_s)

    def _take_up(self, started: Started) -> None:
        self.started = started
        self._past = Past(self.file, started, workloads=bool(self._workloads))

    def _started_by(self, record: Record) -> Started:
        return Started(
            sweep=record.sweep,
            target=record.target,
            protocol=record.protocol,
            conditions=msgspec.structs.replace(record.conditions, end=None),
            epoch=epoch_of(record.conditions.machine, record.target, self._workloads),
        )
