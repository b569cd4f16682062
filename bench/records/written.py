"""`Written`: the records of a sweep that are on disk."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from bench.records.journal import Started
from bench.records.network_run import NetworkRun
from bench.records.record import Record
from bench.records.store import append_line, append_lines, read_records
from bench.trust.measurement import Measurement
from bench.trust.verdict import judge
from devices.host.conditions import Moment


class Written:
    """The records that a file has of a sweep: the newest of each network in `by_name`."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.by_name: dict[str, Record] = {}
        self._measured: set[tuple[str, str]] = set()  # what has a record with a number, by network and sha256

    def clear(self) -> None:
        """Begin with none, as a new sweep does."""
        self.by_name = {}
        self._measured.clear()

    def recall(self, sweep: str) -> None:
        """Take those that the file has of a sweep already."""
        records = [record for record in read_records(self.file) if record.sweep == sweep]
        self.by_name = {record.model.name: record for record in records}
        self._measured = {
            (record.model.name, record.artifact.sha256)
            for record in records
            if record.measurement is not None and record.artifact is not None
        }

    def lacking(self, runs: Mapping[str, NetworkRun]) -> dict[str, NetworkRun]:
        """Those of the runs that were measured and have no record of it."""
        return {key: run for key, run in runs.items() if run.visits and (run.name, run.sha256) not in self._measured}

    def write_measured(
        self, started: Started, runs: Mapping[str, NetworkRun], measured: Mapping[str, Measurement], end: Moment
    ) -> None:
        """Write the records of runs, each by its key; those of replaced files are keyed by another than their name."""
        records = {key: _record(started, run, measured[key], end) for key, run in runs.items()}
        append_lines(self.file, list(records.values()))
        self.by_name |= {key: record for key, record in records.items() if key == record.model.name}
        self._measured |= {(run.name, run.sha256) for run in runs.values()}

    def write_failed(self, started: Started, run: NetworkRun, end: Moment) -> None:
        """Write the record of a network that has no number."""
        record = _record(started, run, None, end)
        append_line(self.file, record)
        self.by_name[run.name] = record


def _record(started: Started, run: NetworkRun, measurement: Measurement | None, end: Moment) -> Record:
    return Record(
        sweep=started.sweep,
        model=run.network,
        target=started.target,
        protocol=started.protocol,
        artifact=run.artifact,
        conditions=msgspec.structs.replace(started.conditions, end=end),
        measurement=measurement,
        verdict=judge(measurement, started.protocol) if measurement else None,
        reason=run.reason,
    )
