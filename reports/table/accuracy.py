"""The columns of measured accuracies, beside the latency of the same file; none where no timed file was evaluated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reports.accuracy import MeasuredAccuracy, Share
from reports.cells import Cell, Column
from reports.table.sheet import Entry, Footnotes, Piece, with_interval_of_share

_WILSON = "with Wilson's 95 % interval"
_MEASURED_ON = f"measured on labelled images with the very file that was timed, {_WILSON}"
_LOST = (
    "top-1 that the file has less than the torch network in FP32 with the same weights on the same images: what its "
    "format and precision cost; negative: it has more; 95 % interval by Agresti and Min, over the images that one of "
    "both alone has right"
)
_AGREEMENT = (
    "images that the timed file puts into the same class as the torch network in FP32 with the same weights, right or "
    f"wrong, {_WILSON}: no accuracy"
)


@dataclass(frozen=True)
class AccuracyColumn:
    """One column: its heading, the footnote that says what it is, and its number; left out where it is empty."""

    heading: str
    note: str
    share: Callable[[MeasuredAccuracy], Share | None]
    names_sample: bool = False


def _agreement_alone(accuracy: MeasuredAccuracy) -> Share | None:
    return accuracy.agreement if accuracy.top1 is None else None


_TOP1 = AccuracyColumn("top-1 measured, %", _MEASURED_ON, lambda accuracy: accuracy.top1, names_sample=True)
_POINTS = AccuracyColumn("points lost", _LOST, lambda accuracy: accuracy.lost)
OVERVIEW = (
    _TOP1,
    _POINTS,
    AccuracyColumn("agreement alone, %", _AGREEMENT, _agreement_alone, names_sample=True),
)
DETAILS = (
    _TOP1,
    AccuracyColumn("top-5 measured, %", _MEASURED_ON, lambda accuracy: accuracy.top5),
    _POINTS,
    AccuracyColumn("agreement, %", _AGREEMENT, lambda accuracy: accuracy.agreement, names_sample=True),
)


def published_heading(*, accuracies: bool) -> str:
    """The heading of the published accuracies; they are said to be published where others stand beside them."""
    return "Top-1 published, %" if accuracies else "Top-1, %"


def headings(column: Column, shown: Sequence[AccuracyColumn], notes: Footnotes, of: str = "") -> list[Piece]:
    """The headings of the columns that a target has, behind its name `of` where a table is of several."""
    return [Piece(f"{of} {each.heading}".strip(), notes=notes.mark(each.note)) for each in _filled(column, shown)]


def entries(column: Column, cell: Cell, shown: Sequence[AccuracyColumn], notes: Footnotes) -> list[Entry]:
    """The entries of the columns that a target has, for one of its networks."""
    return [_entry(cell.accuracy, each, notes) for each in _filled(column, shown)]


def _filled(column: Column, shown: Sequence[AccuracyColumn]) -> list[AccuracyColumn]:
    return [each for each in shown if any(each.share(accuracy) for accuracy in column.accuracies.values())]


def _entry(accuracy: MeasuredAccuracy | None, column: AccuracyColumn, notes: Footnotes) -> Entry:
    share = column.share(accuracy) if accuracy else None
    if accuracy is None or share is None:
        return Entry()
    pieces = [Piece(with_interval_of_share(share))]
    images = accuracy.labelled if share is accuracy.top1 else accuracy.images
    # Beside a top-1 of the same images they need not be named again.
    if column.names_sample and (share is accuracy.top1 or accuracy.top1 is None or images != accuracy.labelled):
        pieces.append(Piece(f"{images:,} images", notes=notes.mark(sample_note(accuracy))))
    return Entry(tuple(pieces), share.percent)


def sample_note(accuracy: MeasuredAccuracy) -> str:
    """Which images a file was evaluated on, and as what."""
    parts = [f"on {accuracy.images:,} images of {accuracy.folder} (sha256 {accuracy.sample[:12]})"]
    if accuracy.labelled != accuracy.images:
        parts.append(f"{accuracy.labelled:,} of them labelled" if accuracy.labelled else "none of them labelled")
    if accuracy.left_out:
        parts.append(
            f"{accuracy.left_out:,} more {'file' if accuracy.left_out == 1 else 'files'} could not be evaluated"
        )
    if not accuracy.trained:
        parts.append("with seeded weights, which were never trained")
    if accuracy.evaluated_as:
        parts.append(f"evaluated as {accuracy.evaluated_as}")
    return "; ".join(parts)
