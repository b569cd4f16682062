"""The overview of all targets: one row for each network."""

from bench.records.record import Network
from models.score import ZenScore
from reports.cells import Column, Report
from reports.table.accuracy import OVERVIEW, entries, headings, published_heading
from reports.table.sheet import (
    Entry,
    Footnotes,
    Piece,
    Sheet,
    differing_state,
    doubt,
    printed_note,
    short_count,
    with_interval,
)
from reports.zen_scores import zen_scores

_ZEN_SCORE = (
    "the expressivity of the structure with random weights (Zen-NAS, ICCV 2021), and the standard error of the mean of "
    "its repeats; no accuracy"
)


def overview(report: Report) -> Sheet:
    """One row for each network: its size, its accuracy and its latency on every target."""
    notes = Footnotes()
    top1 = published_heading(accuracies=report.has_accuracies)
    scores = zen_scores(report.networks)
    heads = list(map(Piece, ("Model", "Resolution, px", "#Params", "FLOPs (MACs)", top1)))
    heads += [Piece("Zen-Score", notes=notes.mark(_ZEN_SCORE))] if scores else []
    for column in report.columns:
        heads.append(Piece(f"{column.heading}, ms", notes=notes.mark(_about(column))))
        heads += headings(column, OVERVIEW, notes, of=column.heading)
    rows = [
        [
            *_identity(report, network, notes),
            *([_zen_score(scores.get(network.name))] if scores else []),
            *(each for column in report.columns for each in _of(column, network, notes)),
        ]
        for network in report.networks
    ]
    return Sheet("Speed and accuracy", heads, rows, list(notes.numbers))


def _zen_score(score: ZenScore | None) -> Entry:
    return Entry((Piece(f"{score}"),), score.mean) if score else Entry()


def _of(column: Column, network: Network, notes: Footnotes) -> list[Entry]:
    """The latency of a network on a target, and the accuracy of the file that it is of."""
    return [_latency(column, network, notes), *entries(column, column.cell(network), OVERVIEW, notes)]


def _about(column: Column) -> str:
    target = column.target
    batch = f"batch {target.batch}, milliseconds of one image" if target.batch > 1 else "single images"
    states = column.states if len(column.states) == 1 else []
    return "; ".join(part for part in (f"{column.heading}: {column.title}, {batch}", *states, target.note) if part)


def _identity(report: Report, network: Network, notes: Footnotes) -> list[Entry]:
    printed = report.printed(network)
    counts = notes.mark(printed.counts_note) if printed else ()
    top1 = network.top1_percent
    return [
        Entry((Piece(network.name),), network.name),
        Entry((Piece(f"{network.resolution_px}"),), network.resolution_px),
        _count(network.params, printed.params if printed else "", counts),
        _count(network.macs, printed.flops if printed else "", counts),
        Entry((Piece(f"{top1:.1f}", printed=True),) if top1 is not None else (), top1),
    ]


def _count(count: int | None, printed: str, notes: tuple[int, ...]) -> Entry:
    """A computed count, and the published one as printed."""
    pieces = [Piece(short_count(count))] if count is not None else []
    pieces += [Piece(printed, printed=True, notes=notes)] if printed else []
    return Entry(tuple(pieces), count)


def _latency(column: Column, network: Network, notes: Footnotes) -> Entry:
    cell = column.cell(network)
    pieces = []
    if cell.measured:
        marks = notes.mark(doubt(cell), cell.note, differing_state(column, cell))
        pieces.append(Piece(with_interval(cell.measured.latency), notes=marks))
    elif cell.note:
        pieces.append(Piece("no number", notes=notes.mark(cell.note)))
    if cell.published:
        pieces.append(Piece(cell.printed, printed=True, notes=notes.mark(printed_note(column, network))))
    if cell.ratio:
        pieces.append(Piece(f"{cell.ratio.ms:.2f}x published"))
    return Entry(tuple(pieces), cell.latency.ms if cell.latency else None)
