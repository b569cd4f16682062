"""The rows and columns of every report: the newest record of each cell and the published number."""

from collections.abc import Iterable, Sequence

import msgspec

from bench.records.network_run import network_of
from bench.records.record import Record
from bench.trust.measurement import Basis, Measurement
from bench.trust.statistics import Estimate
from bench.trust.visit import COMPUTE, CORE_TO_CORE
from devices.nvidia import cuda_events
from devices.targets import find_targets
from models.published import COLUMNS, published
from models.zoo import zoo
from reports.cells import Cell, Column, Latency, Measured, Report
from reports.recorded import ended, why_missing
from reports.slower import hardware_of, remark_slower
from system.errors import UserError, one_line
from system.names import select

# Default baseline family.
BASELINE = "EfficientNet"


def gather(records: Iterable[Record]) -> Report:
    """Arrange records, newest first within a cell, as rows and columns: the published ones, then the others.

    The first record of a cell that holds a number gives it; newer ones without leave a note.
    """
    networks = {model.name: network_of(model) for model in zoo().values()}
    cells: dict[str, dict[str, Cell]] = {name: {} for name in COLUMNS}
    newest: dict[str, Record] = {}
    for record in records:
        name, model = record.target.name, record.model.name
        networks.setdefault(model, record.model)
        column = cells.setdefault(name, {})
        column[model] = _add(column.get(model), record)
        if name not in newest or ended(record) > ended(newest[name]):
            newest[name] = record if record.measurement is None else msgspec.structs.replace(record, measurement=None)
    for name, column in cells.items():
        for model, row in published().items():
            if printed := row.latency_printed.get(name):
                cell = column.get(model, Cell())
                column[model] = Cell(cell.measured, Latency.exactly(float(printed)), cell.note, printed)
    known = [*COLUMNS, *(target.name for target in find_targets("*"))]
    names = sorted(cells, key=lambda name: known.index(name) if name in known else len(known))
    columns = [_column(name, cells[name], newest.get(name)) for name in names]
    return Report(list(networks.values()), remark_slower(columns))


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


def baseline(report: Report, narrowed: Report, asked: str | None) -> str | None:
    """The family that speed-ups compare with: `asked`, else the default; None where `narrowed` lacks the default.

    Raises UserError where `asked`, a name or glob, is not one family of `report`, or is one that `narrowed` lacks.
    """
    families = dict.fromkeys(network.family for network in report.networks)
    names = [asked] if asked in families else select(asked or BASELINE, families, "family")
    if len(names) > 1:
        raise UserError("speed-ups compare with one family", found=f"{asked!r} is {', '.join(names)}", fix="name one")
    if any(network.family == names[0] for network in narrowed.networks):
        return names[0]
    if asked:
        raise UserError(f"no speed-ups against {names[0]}", found="--families leaves it out", fix="add it there")
    return None


def _add(newer: Cell | None, record: Record) -> Cell:
    if newer is not None and newer.measured is not None:
        return newer
    reason = why_missing(record)
    if reason is not None:
        return newer or Cell(note=reason)
    assert record.measurement is not None
    notes = [f"an older number; the newest run has none: {newer.note}"] if newer else []
    notes += [f"its run ended early: {one_line(record.reason)}"] if record.reason else []
    return Cell(measured=_measured(record, record.measurement), note="; ".join(notes))


def _measured(record: Record, measurement: Measurement) -> Measured:
    scale = 1e3 / record.target.batch
    estimate, verdict = measurement.estimate, record.verdict
    return Measured(
        latency=_latency(estimate, scale),
        batch=record.target.batch,
        raw_ms=measurement.raw_median_s * scale,
        undivided_ms=measurement.undivided.number_s * scale,
        corrected_by=measurement.corrected_by,
        refers_to=_refers_to(measurement.basis),
        state=_state(record, measurement),
        within_sweep=estimate.within_sweep,
        sweep=record.sweep,
        p5_ms=measurement.percentile(5) * scale,
        p95_ms=measurement.percentile(95) * scale,
        p99_ms=measurement.percentile(99) * scale,
        samples=len(measurement.seconds),
        visits=len(measurement.visits),
        clock=measurement.clock,
        ran_on=", ".join(f"{key} {value}" for key, value in measurement.ran_on.items()),
        hardware=hardware_of(record),
        verdict=verdict.word if verdict else "not judged",
        detail=verdict.detail if verdict else "",
    )


def _state(record: Record, measurement: Measurement) -> str:
    """How warm the device was; empty where that is the host's processor, whose clocks the readings tell."""
    if record.protocol.sustained:
        return "heat-soaked: after a warm-up until the temperature was steady"
    if measurement.clock == cuda_events.NAME:
        return "warm, not heat-soaked: after a warm-up until times, clocks and power were steady"
    return ""


def _refers_to(basis: Basis | None) -> str:
    """The condition of the machine that numbers hold at, in words; empty where nothing was read."""
    if basis is None or not basis.reference_s:
        return ""
    names = {COMPUTE: "compute", CORE_TO_CORE: "core-to-core"}
    told = (f"{names.get(name, name)} {seconds * 1e3:.2f} ms" for name, seconds in basis.reference_s.items())
    return f"{', '.join(told)} (machine epoch {basis.epoch or 'unnamed'})"


def _latency(estimate: Estimate, scale: float) -> Latency:
    if estimate.low_s is None or estimate.high_s is None:
        return Latency.exactly(estimate.number_s * scale)
    return Latency(estimate.number_s * scale, estimate.low_s * scale, estimate.high_s * scale)


def _column(name: str, cells: dict[str, Cell], newest: Record | None) -> Column:
    if newest is None:
        return Column(find_targets(name)[0], cells)
    return Column(newest.target, cells, newest)
