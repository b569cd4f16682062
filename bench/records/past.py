"""`Past`: what earlier sweeps of the same machine left for one, in its results folder and in others."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from bench.records.epoch import Epoch, Frozen, freeze, frozen, tell_change
from bench.records.history import History, history, said_by
from bench.records.journal import Started
from bench.records.known_machines import condition_known, leave, sweeps_known
from bench.records.record import Record
from bench.trust.fit import Earlier


class Past:
    """The condition that the numbers of a sweep's epoch refer to, and what the epoch's earlier sweeps said.

    `file` has the records of the sweep's target. `workloads` is whether it runs beside reference workloads: without
    them there is no condition, nor a change of it to tell. Raises UserError where what the results folder keeps of it
    is damaged.
    """

    def __init__(self, file: Path, started: Started, *, workloads: bool) -> None:
        self._results, self._started, self._workloads = file.parent, started, workloads
        self._history, self._condition = History(), None
        if started.epoch is None:  # a journal of schema 1
            return
        sustained = started.protocol.sustained
        self._history = history(file, started.target, started.epoch.name, but=started.sweep, sustained=sustained)
        if workloads and (condition := _condition_of(started.epoch, file.parent)) is not None:
            self._condition = condition
            self._history = self._history.beside(sweeps_known(started, condition.reference_s))

    def of(self, files: Mapping[str, str]) -> Earlier:
        """What it says of these networks, by name the sha256 of its file."""
        epoch = self._started.epoch.name if self._started.epoch else ""
        return self._history.of(files, epoch=epoch, reference_s=self._condition.reference_s if self._condition else {})

    def add(self, reference_s: dict[str, float], records: Iterable[Record]) -> None:
        """Keep what the sweep found, whose numbers refer to `reference_s`. Raises UserError where it can't be."""
        epoch = self._started.epoch
        if epoch is None or not self._workloads or not reference_s:
            return
        condition = self._condition or Frozen.now(epoch, reference_s, self._started.sweep)
        freeze(self._results, epoch, condition)
        leave(self._started, condition, said_by(records))


def _condition_of(epoch: Epoch, results: Path) -> Frozen | None:
    """What the numbers of an epoch refer to in a results folder, else on this machine; None before its first sweep."""
    found = frozen(results, epoch)
    if found is None:
        tell_change(results, epoch)
        found = condition_known(epoch)
    return found
