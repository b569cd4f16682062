"""The records of a run: the last sweeps of a folder or a file, one sweep by its id, or the last two sweeps."""

from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import TypeVar

from bench.records.record import Record
from bench.records.store import read_records, read_results
from reports.recorded import ended
from system.errors import UserError

Key = TypeVar("Key")


def run_named(text: str, results: Path, sweeps: int = 1) -> list[Record]:
    """The last `sweeps` records of each cell in a folder or file, or the one sweep in `results` by the start of its id.

    Raises UserError where there is none or more than one, or where `sweeps` is above 1 with the id of one sweep.
    """
    path = Path(text)
    if path.exists():
        records = _oldest_first(read_results(path) if path.is_dir() else read_records(path))
        if not records:
            raise UserError("nothing to compare", found=f"no records in {path}", fix="measure first")
        return list(chain.from_iterable(cell[-sweeps:] for cell in by_cell(records).values()))
    records = [record for record in read_results(results) if record.sweep.startswith(text)]
    found = {record.sweep for record in records}
    if len(found) != 1:
        what = f"{len(found)} sweeps in {results}" if found else f"no such sweep in {results}"
        raise UserError(f"no run named {text!r}", found=what, fix="give a folder, a file or a sweep's id")
    if sweeps > 1:
        raise UserError("--sweeps counts those of a folder or file", found=f"the sweep {text}", fix="leave it out")
    return records


def last_two(results: Path, sweeps: int = 1) -> tuple[list[Record], list[Record]]:
    """The last `sweeps` sweeps of every target, and the same number of sweeps before them, these first.

    Targets with fewer than twice `sweeps` are left out. Raises UserError where none is left.
    """
    old: list[Record] = []
    new: list[Record] = []
    for records in _grouped(_oldest_first(read_results(results)), lambda record: record.target.name).values():
        found = list(dict.fromkeys(record.sweep for record in records))
        if len(found) >= 2 * sweeps:
            old += [record for record in records if record.sweep in found[-2 * sweeps : -sweeps]]
            new += [record for record in records if record.sweep in found[-sweeps:]]
    if not new:
        raise UserError(
            "nothing to compare",
            found=f"no target in {results} with {2 * sweeps} sweeps",
            fix="measure again, or name OLD NEW",
        )
    return old, new


def by_cell(records: Iterable[Record]) -> dict[tuple[str, str], list[Record]]:
    """The records of each target and model, in the order given."""
    return _grouped(records, lambda record: (record.target.name, record.model.name))


def _oldest_first(records: Iterable[Record]) -> list[Record]:
    """Sorted by end time, since merged files are in any order; records of the same second keep theirs."""
    return sorted(records, key=ended)


def _grouped(records: Iterable[Record], key: Callable[[Record], Key]) -> dict[Key, list[Record]]:
    groups: dict[Key, list[Record]] = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return groups
