"""The tables of the curves: one for each target and axis, with a line for each network on where its knee is."""

from collections.abc import Sequence

from reports.axis.curve import Axis, CurvePoint
from reports.axis.finding import WORK, Finding
from reports.axis.rates import Rate, rate_of
from reports.table.sheet import Entry, Footnotes, Piece, Sheet, decimals_of, doubt, number_with_interval, with_interval

_TITLES = {Axis.BATCH: "Along the batch", Axis.RESOLUTION: "Along the resolution"}
_HEADINGS = {
    Axis.BATCH: ("Batch", "ms an image", "ms a batch", WORK[Axis.BATCH]),
    Axis.RESOLUTION: ("Resolution, px", "ms an image", "images/s", WORK[Axis.RESOLUTION]),
}
_KNEE = "the knee"


def axis_sheets(findings: Sequence[Finding]) -> list[Sheet]:
    """A table for each axis and target, in the order of the findings."""
    groups: dict[tuple[Axis, str], list[Finding]] = {}
    for found in findings:
        groups.setdefault((found.curve.axis, found.curve.target), []).append(found)
    return [_sheet(axis, target, group) for (axis, target), group in groups.items()]


def _sheet(axis: Axis, target: str, findings: Sequence[Finding]) -> Sheet:
    notes = Footnotes()
    rows = [row for found in findings for row in _rows(found, notes)]
    text = [f"{found.curve.model}: {found.statement}." for found in findings]
    title = f"{_TITLES[axis]}: {target}, {findings[0].curve.points[0].column.target.title}"
    return Sheet(title, list(map(Piece, ("Model", *_HEADINGS[axis]))), rows, list(notes.numbers), text)


def _rows(found: Finding, notes: Footnotes) -> list[list[Entry]]:
    work = dict(zip((point.number for point, _ in found.curve.measured), found.work, strict=True))
    rows = []
    for point in found.curve.points:
        knee = notes.mark(_KNEE) if point == found.point else ()
        model = Entry((Piece(found.curve.model),), found.curve.model)
        number = Entry((Piece(f"{point.number}", notes=knee),), point.number)
        rows.append([model, number, *_numbers(found.curve.axis, point, work.get(point.number), notes)])
    return rows


def _numbers(axis: Axis, point: CurvePoint, work: Rate | None, notes: Footnotes) -> list[Entry]:
    measured = point.measured
    if measured is None or work is None:
        return [Entry((Piece("no number", notes=notes.mark(point.cell.note)),)), Entry(), Entry()]
    latency = Piece(with_interval(measured.latency), notes=notes.mark(doubt(point.cell), point.cell.note))
    other = measured.batch_ms if axis is Axis.BATCH else rate_of(measured.latency).value
    return [
        Entry((latency,), measured.latency.ms),
        Entry((Piece(f"{other:.{decimals_of(other)}f}"),), other),
        Entry((Piece(number_with_interval(work.value, work.low, work.high)),), work.value),
    ]
