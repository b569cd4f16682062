"""Which records a run is: a folder's or a file's newest ones, those of a sweep, or the last two sweeps."""

from collections.abc import Sequence
from pathlib import Path

from bench.record import Record
from bench.store import read_records, read_results
from models.errors import UserError


def run_named(text: str, results: Path) -> list[Record]:
    """The newest record of each cell in a folder or file, or those of the sweep in `results` whose id begins so.

    Raises UserError where there is no such thing, or more than one.
    """
    path = Path(text)
    if path.exists():
        records = read_results(path) if path.is_dir() else read_records(path)
        if not records:
            raise UserError("nothing to compare", found=f"no records in {path}", fix="measure first")
        return list({(record.target.name, record.model.name): record for record in records}.values())
    records = [record for record in read_results(results) if record.sweep.startswith(text)]
    sweeps = {record.sweep for record in records}
    if len(sweeps) != 1:
        found = f"{len(sweeps)} sweeps in {results}" if sweeps else f"no such sweep in {results}"
        raise UserError(f"no run named {text!r}", found=found, fix="give a folder, a file or a sweep's id")
    return records


def last_two(results: Path) -> tuple[list[Record], list[Record]]:
    """The last sweep and the one before it, of every target that has two.

    Raises UserError where no target has two.
    """
    old: list[Record] = []
    new: list[Record] = []
    for records in _by_target(read_results(results)).values():
        sweeps = list(dict.fromkeys(record.sweep for record in records))
        if len(sweeps) > 1:
            old += [record for record in records if record.sweep == sweeps[-2]]
            new += [record for record in records if record.sweep == sweeps[-1]]
    if not new:
        raise UserError(
            "nothing to compare", found=f"no target in {results} with two sweeps", fix="measure again, or name OLD NEW"
        )
    return old, new


def _by_target(records: Sequence[Record]) -> dict[str, list[Record]]:
    targets: dict[str, list[Record]] = {}
    for record in records:
        targets.setdefault(record.target.name, []).append(record)
    return targets
