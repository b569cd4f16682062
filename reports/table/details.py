"""The table of one target: every statistic of every network, its floor, and measured against published."""

from bench.records.record import Network
from reports import device_spread
from reports.cells import Cell, Column, Report
from reports.equal_accuracy import Speedup, speedups
from reports.floor import Floor, Floors
from reports.points import measured_points, published_points
from reports.table.accuracy import DETAILS, entries, headings, published_heading
from reports.table.details_text import lines_above
from reports.table.sheet import (
    Entry,
    Footnotes,
    Piece,
    Sheet,
    decimals_of,
    differing_state,
    doubt,
    number_with_interval,
    printed_note,
    with_interval,
)

HEADINGS = (
    "Model",
    "Top-1, %",
    "ms an image",
    "ms a batch",
    "images/s",
    "Undivided, ms",
    "Plain median, ms",
    "p95, ms",
    "Published, ms",
    "Measured / published",
    "Floor, ms",
    "Above the floor",
    "Floor layer by layer, ms",
)


def details(report: Report, column: Column, floors: Floors, against: str | None) -> Sheet:
    """The table of one column; networks without a number and without a reason are left out."""
    notes = Footnotes()
    heads = _headings(column, against, notes)
    measured = speedups(measured_points(report, column), against)
    published = speedups(published_points(report, column), against)
    mixed = any(accuracy.top1 for accuracy in column.accuracies.values())
    rows = []
    for network in report.networks:
        cell = column.cell(network)
        if cell.latency or cell.note:
            faster = (measured.get(network.name), published.get(network.name))
            row = _row(network, column, floors, notes)
            rows.append([*row, _speedup(*faster, notes, mixed=mixed)] if against else row)
    title = f"{column.heading}: {column.title}, batch {column.target.batch}"
    return Sheet(title, heads, rows, list(notes.numbers), lines_above(report, column, floors))


def _headings(column: Column, against: str | None, notes: Footnotes) -> list[Piece]:
    model, _, latency, *others = HEADINGS
    top1 = published_heading(accuracies=bool(column.accuracies))
    speedup = [f"Speed-up at equal accuracy against {against}"] if against else []
    return [
        *map(Piece, (model, top1, latency)),
        *headings(column, DETAILS, notes),
        *map(Piece, others),
        *device_spread.heading(column, notes),
        *map(Piece, speedup),
    ]


def _row(network: Network, column: Column, floors: Floors, notes: Footnotes) -> list[Entry]:
    cell = column.cell(network)
    floor, printed_floor = floors.floor(column, network), floors.floor(column, network, as_published=True)
    marks = notes.mark(doubt(cell), cell.note, differing_state(column, cell), _below(cell, floor))
    return [
        Entry((Piece(network.name),), network.name),
        _number(network.top1_percent, printed=True),
        _measured(cell, marks),
        *entries(column, cell, DETAILS, notes),
        *_throughput(cell),
        _published(cell, notes.mark(*_printed_notes(cell, column, network, floor, printed_floor))),
        _ratio(cell),
        _floor(cell, floor, printed_floor, notes.mark(floors.lack_of(column, network))),
        _above(cell, floor, printed_floor),
        _number(floor.layers_ms if floor else None),
        *device_spread.entry(column, network.name),
    ]


def _measured(cell: Cell, marks: tuple[int, ...]) -> Entry:
    if cell.measured is None:
        return Entry((Piece("no number", notes=marks),) if cell.note else ())
    latency = cell.measured.latency
    return Entry((Piece(with_interval(latency), notes=marks),), latency.ms)


def _throughput(cell: Cell) -> list[Entry]:
    if cell.measured is None:
        return [Entry()] * 5
    return [
        _number(cell.measured.batch_ms),
        _number(cell.measured.images_per_s),
        _number(cell.measured.undivided_ms),
        _number(cell.measured.raw_ms),
        _number(cell.measured.p95_ms),
    ]


def _published(cell: Cell, marks: tuple[int, ...]) -> Entry:
    if cell.published is None:
        return Entry()
    return Entry((Piece(cell.printed, printed=True, notes=marks),), cell.published.ms)


def _printed_notes(
    cell: Cell, column: Column, network: Network, floor: Floor | None, printed_floor: Floor | None
) -> list[str]:
    if cell.published is None:
        return []
    notes = [printed_note(column, network)]
    if printed_floor and printed_floor.broken_by(cell.published.ms):
        notes.append("impossible: below the floor, the least time that the hardware can take")
    elif floor and floor.broken_by(cell.published.ms):
        threads = column.target.options.get("threads")
        how = f"on {threads} core{'s' if threads != 1 else ''} in {column.target.precision}"
        notes.append(f"impossible {how}, which is how this target is measured: it used more cores or another precision")
    return notes


def _below(cell: Cell, floor: Floor | None) -> str:
    """What a measured number below its floor means; "" where it is not below."""
    if cell.measured is None or floor is None or cell.measured.latency.ms >= floor.whole_ms:
        return ""
    if floor.peaks.measured:
        return "below the floor of the rates that the probe reached: it was disturbed, or the layers reach higher rates"
    return "impossible: below the floor; the clock, the device or the network is not the one that the record names"


def _ratio(cell: Cell) -> Entry:
    if cell.ratio is None:
        return Entry()
    return Entry((Piece(f"{cell.ratio.ms:.2f}x"),), cell.ratio.ms)


def _floor(cell: Cell, floor: Floor | None, printed_floor: Floor | None, marks: tuple[int, ...]) -> Entry:
    """The floor of the measured number and, where it differs, that of the published number."""
    if floor is None or printed_floor is None:
        return Entry((Piece("none", notes=marks),) if marks else ())
    entry = _number(floor.whole_ms)
    if cell.published is None or printed_floor.whole_ms == floor.whole_ms:
        return entry
    printed_ms = printed_floor.whole_ms
    pieces = (*entry.pieces, Piece(f"{printed_ms:.{decimals_of(printed_ms)}f}", printed=True))
    return Entry(pieces, entry.sort_key)


def _above(cell: Cell, floor: Floor | None, printed_floor: Floor | None) -> Entry:
    """Each number over its floor."""
    ratios: dict[bool, float] = {}
    if cell.measured and floor:
        ratios[False] = cell.measured.latency.ms / floor.whole_ms
    if cell.published and printed_floor:
        ratios[True] = cell.published.ms / printed_floor.whole_ms
    pieces = tuple(Piece(f"{ratio:.1f}x", printed=printed) for printed, ratio in ratios.items())
    return Entry(pieces, next(iter(ratios.values()), None))


def _speedup(measured: Speedup | None, published: Speedup | None, notes: Footnotes, *, mixed: bool) -> Entry:
    """`mixed` is whether some accuracies of the column are measured and others may be published."""
    pieces = []
    if measured:
        doubts = ["" if measured.usable else "from numbers that are not all usable"]
        doubts += ["" if measured.one_sweep else "from numbers of different sweeps"]
        images = measured.subject.images
        kind = f"by accuracies measured on the same {images:,} images" if images else "by published accuracies"
        marks = notes.mark(*doubts, kind if mixed else "")
        pieces.append(Piece(number_with_interval(measured.factor, measured.low, measured.high, "x"), notes=marks))
    if published:
        pieces.append(Piece(f"{published.factor:.1f}x", printed=True))
    first = measured or published
    return Entry(tuple(pieces), first.factor if first else None)


def _number(value: float | None, *, printed: bool = False) -> Entry:
    if value is None:
        return Entry()
    text = f"{value:.1f}" if printed else f"{value:.{decimals_of(value)}f}"
    return Entry((Piece(text, printed=printed),), value)
