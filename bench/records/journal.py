"""The journal of a running sweep: every visit is on disk before the next begins, so that `--resume` can go on.

`results/TARGET.journal` lies there from a sweep's start to its end; from then on records hold the same visits.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench.protocol import Protocol
from bench.records.conditions import Conditions
from bench.records.epoch import Epoch
from bench.records.record import Network
from bench.records.store import append_line, read_lines
from bench.trust.plausible import impossible
from bench.trust.visit import Visit
from devices.targets import Target
from exporters.artifact import Artifact
from system.unreadable import UNREADABLE


class Started(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A sweep's first line."""

    sweep: str
    target: Target
    protocol: Protocol
    conditions: Conditions
    epoch: Epoch | None = None  # journals of schema 1 have none


class Opened(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A session was loaded and warmed up."""

    network: Network
    artifact: Artifact
    ran_on: dict[str, str | int] = msgspec.field(name="place")
    clock: str
    warmup_s: list[float]


class Visited(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A visit ended."""

    model: str
    visit: Visit = msgspec.field(name="round")


Entry = Started | Opened | Visited
_decoder: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)


class Journal:
    """One target's journal in a results folder."""

    def __init__(self, results: Path, target: str) -> None:
        self.path = results / f"{target}.journal"

    def append(self, entry: Entry) -> None:
        """Write one line and fsync it. Raises UserError where it can't be written."""
        append_line(self.path, entry)

    def started(self) -> Started | None:
        """Its first line; None where there is no journal, or its sweep can't be read."""
        first = next(self._read(), None)
        return first if isinstance(first, Started) else None

    def entries(self) -> list[Entry]:
        """Every line that can be read; a torn one was never finished, so it is passed over, as is an impossible visit.

        One whose sweep can't be read is put aside, since its visits can't be assigned to a sweep; a warning says where.
        """
        entries = list(self._read())
        if entries and not isinstance(entries[0], Started):
            put_aside(self.path, "sweep")
            return []
        return entries

    def _read(self) -> Iterator[Entry]:
        for _, line in read_lines(self.path):
            try:
                entry = _decoder.decode(line)
            except UNREADABLE:
                continue
            if not isinstance(entry, Visited) or impossible(entry.visit) is None:
                yield entry

    def end(self) -> None:
        """Remove it: every network has its record."""
        self.path.unlink(missing_ok=True)


def put_aside(journal: Path, what: str) -> None:
    """Rename a journal whose first line, which says what it is of, can't be read; a warning says where it is kept."""
    aside = journal.with_suffix(f".journal-{time.time_ns()}")
    journal.rename(aside)
    print(f"warning: unreadable {what} in {journal}, kept as {aside}", file=sys.stderr)  # noqa: T201
