"""The rows and columns of every report: the newest record of each cell and the published number."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec

from bench.accuracy.record import Accuracy
from bench.records.network_run import network_of
from bench.records.record import Network, Record
from devices.targets import find_targets
from models.published import COLUMNS, published
from models.zoo import zoo
from reports.accuracy import Accuracies
from reports.cells import Cell, Column, Latency, Report
from reports.measured import measured_of
from reports.options import BASELINE
from reports.recorded import ended, why_missing
from reports.slower import remark_slower
from system.errors import UserError, one_line
from system.names import select, split_at


def gather(records: Iterable[Record], accuracies: Iterable[Accuracy] = ()) -> Report:
    """Arrange records, newest first within a cell, as rows and columns: the published ones, then the others.

    Rows are the networks that are published or recorded, those of the zoo first, in its order.

    The first record of a cell that holds a number gives it; newer ones without leave a note. An accuracy joins the
    number of the same file.
    """
    evaluated = Accuracies(accuracies)
    networks = {name: network_of(zoo()[name]) for name in published()}
    cells: dict[str, dict[str, Cell]] = {name: {} for name in COLUMNS}
    newest: dict[str, Record] = {}
    told: dict[str, tuple[bool, str]] = {}
    for record in records:
        name, model = record.target.name, record.model.name
        # Of an accuracy that the user states again, the newest record knows best.
        rank = (record.model.top1_percent is not None, ended(record))
        if model not in published() and rank >= told.get(model, rank):
            networks[model], told[model] = record.model, rank
        column = cells.setdefault(name, {})
        column[model] = _add(column.get(model), record, evaluated)
        if name not in newest or ended(record) > ended(newest[name]):
            newest[name] = record if record.measurement is None else msgspec.structs.replace(record, measurement=None)
    for name, column in cells.items():
        for model, row in published().items():
            if printed := row.latency_printed.get(name):
                cell = column.get(model, Cell())
                column[model] = replace(cell, published=Latency.exactly(float(printed)), printed=printed)
    known = [*COLUMNS, *(target.name for target in find_targets("*"))]
    names = sorted(cells, key=lambda name: _sort_key(name, known))
    columns = [_column(name, cells[name], newest.get(name), evaluated) for name in names]
    return Report(_in_order(networks), remark_slower(columns))


def _in_order(networks: dict[str, Network]) -> list[Network]:
    return [networks[name] for name in dict.fromkeys((*zoo(), *networks)) if name in networks]


def _sort_key(name: str, known: Sequence[str]) -> tuple[int, int]:
    """Where a target's column stands: as its table does in the files, its batches ascending, unknown ones last."""
    plain, batch = split_at(name)
    return known.index(plain) if plain in known else len(known), batch or 0


def narrow(report: Report, targets: Sequence[str], families: Sequence[str]) -> Report:
    """Only the targets and families that the names or globs match. Raises UserError where one matches nothing."""
    names = [column.name for column in report.columns]
    kept = {name for pattern in targets for name in select(pattern, names, "target with a number")}
    all_families = dict.fromkeys(network.family for network in report.networks)
    kept_families = {name for pattern in families for name in select(pattern, all_families, "family")}
    return Report(
        [network for network in report.networks if network.family in kept_families],
        [column for column in report.columns if column.name in kept],
    )


def baseline(report: Report, narrowed: Report, asked: str | None, option: str = "--families") -> str | None:
    """The family that speed-ups compare with: `asked`, else the default; None where `narrowed` lacks the default.

    Raises UserError where `asked`, a name or glob, is not one family of `report`, or is one that `narrowed`, of the
    networks that `option` chose, lacks.
    """
    families = dict.fromkeys(network.family for network in report.networks)
    names = [asked] if asked in families else select(asked or BASELINE, families, "family")
    if len(names) > 1:
        raise UserError("speed-ups compare with one family", found=f"{asked!r} is {', '.join(names)}", fix="name one")
    if any(network.family == names[0] for network in narrowed.networks):
        return names[0]
    if asked:
        raise UserError(f"no speed-ups against {names[0]}", found=f"{option} leaves it out", fix="add it there")
    return None


def _add(newer: Cell | None, record: Record, evaluated: Accuracies) -> Cell:
    if newer is not None and newer.measured is not None:
        return newer
    reason = why_missing(record)
    if reason is not None:
        return newer or Cell(note=reason)
    assert record.measurement is not None
    notes = [f"an older number; the newest run has none: {newer.note}"] if newer else []
    notes += [f"its run ended early: {one_line(record.reason)}"] if record.reason else []
    return Cell(measured=measured_of(record, record.measurement), note="; ".join(notes), accuracy=evaluated.of(record))


def _column(name: str, cells: dict[str, Cell], newest: Record | None, evaluated: Accuracies) -> Column:
    if newest is None:
        return Column(find_targets(name)[0], cells)
    shown = [model for model, cell in cells.items() if cell.accuracy]
    return Column(newest.target, cells, newest, evaluated.of_other_files(name, shown))
