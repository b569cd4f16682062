"""The table as CSV: a row for each network, a column for each statistic of each target."""

from typing import TYPE_CHECKING

from bench.records.record import Network
from models.score import ZenScore
from reports.accuracy import MeasuredAccuracy, Share
from reports.cells import Cell, Report
from reports.device_spread import has_devices
from reports.equal_accuracy import Speedup, speedups
from reports.floor import Floor, Floors
from reports.points import measured_points, published_points
from reports.zen_scores import zen_scores

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, str | float | None]


def frame(report: Report, floors: Floors, against: str | None) -> "pd.DataFrame":
    """Every number, latencies in milliseconds of one image unless the column's name says otherwise."""
    import pandas as pd

    scores = zen_scores(report.networks)
    rows = [_identity(report, network, scores) for network in report.networks]
    for column in report.columns:
        measured = speedups(measured_points(report, column), against)
        published = speedups(published_points(report, column), against)
        for row, network in zip(rows, report.networks, strict=True):
            cell = column.cell(network)
            floor = floors.floor(column, network, as_published=cell.measured is None) if cell.latency else None
            faster = measured.get(network.name) or published.get(network.name)
            numbers = numbers_of(cell) | (_speedup(faster) if against else {}) | _above(cell, floor)
            if column.accuracies:
                numbers |= _accuracy(cell.accuracy) | (_speedup_by(faster) if against else {})
            if has_devices(column):
                numbers |= _devices(cell)
            row |= {f"{column.name}_{key}": value for key, value in numbers.items()}
    return pd.DataFrame(rows).astype(dict.fromkeys(["params", "macs", *_counts(report)], "Int64"))


def _counts(report: Report) -> list[str]:
    """The columns of whole numbers, which pandas would else make fractions of where a cell is empty."""
    names = []
    for column in report.columns:
        devices = ("devices",) if has_devices(column) else ()
        accuracy = ("accuracy_images", "accuracy_labelled", "accuracy_left_out") if column.accuracies else ()
        names += [f"{column.name}_{count}" for count in ("batch", "samples", "visits", *devices, *accuracy)]
    return names


def csv(report: Report, floors: Floors, against: str | None) -> str:
    """The frame as CSV."""
    return as_csv(frame(report, floors, against))


def as_csv(table: "pd.DataFrame") -> str:
    """A frame as CSV; text that a spreadsheet would run as a formula gets an apostrophe in front."""
    texts = table.select_dtypes(exclude="number").columns
    table[texts] = table[texts].map(_no_formula)
    text: str = table.rename(columns=_no_formula).to_csv(index=False, lineterminator="\n")
    return text


def _no_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _identity(report: Report, network: Network, scores: dict[str, ZenScore]) -> Row:
    printed, score = report.printed(network), scores.get(network.name)
    row: Row = {
        "model": network.name,
        "family": network.family,
        "resolution_px": network.resolution_px,
        "params": network.params,
        "params_published": printed.params if printed else None,
        "macs": network.macs,
        "macs_published": printed.flops if printed else None,
        "top1_percent": network.top1_percent,
    }
    return row | {"zen_score": score.mean if score else None} if scores else row


def numbers_of(cell: Cell) -> Row:
    """The statistics of a cell, by the names of their columns."""
    measured, published = cell.measured, cell.published
    return {
        "ms": measured.latency.ms if measured else None,
        "low_ms": measured.latency.low_ms if measured and measured.latency.has_interval else None,
        "high_ms": measured.latency.high_ms if measured and measured.latency.has_interval else None,
        "within_sweep": measured.within_sweep if measured else None,
        "undivided_ms": measured.undivided_ms if measured else None,
        "corrected_by": measured.corrected_by if measured else None,
        "raw_ms": measured.raw_ms if measured else None,
        "p5_ms": measured.p5_ms if measured else None,
        "p95_ms": measured.p95_ms if measured else None,
        "p99_ms": measured.p99_ms if measured else None,
        "batch": measured.batch if measured else None,
        "batch_ms": measured.batch_ms if measured else None,
        "images_per_s": measured.images_per_s if measured else None,
        "samples": measured.samples if measured else None,
        "visits": measured.visits if measured else None,
        "verdict": measured.verdict if measured else None,
        "published_ms": published.ms if published else None,
        "ratio": cell.ratio.ms if cell.ratio else None,
        "note": cell.note or None,
    }


def _devices(cell: Cell) -> Row:
    """How many devices shared the visits, and the slowest's time over the fastest's."""
    measured = cell.measured
    return {
        "devices": (len(measured.levels_ms) or 1) if measured else None,
        "device_spread": measured.device_spread if measured else None,
    }


def _speedup(faster: Speedup | None) -> Row:
    return {
        "speedup": faster.factor if faster else None,
        "speedup_low": faster.low if faster and faster.low < faster.high else None,
        "speedup_high": faster.high if faster and faster.low < faster.high else None,
        "speedup_usable": faster.usable if faster else None,
    }


def _accuracy(accuracy: MeasuredAccuracy | None) -> Row:
    """Of the file that was timed: shares in percent of images, what it lost in points of top-1, with 95 % intervals."""
    shares: dict[str, Share | None] = {
        "top1_measured_percent": accuracy.top1 if accuracy else None,
        "top5_measured_percent": accuracy.top5 if accuracy else None,
        "points_lost": accuracy.lost if accuracy else None,
        "agreement_percent": accuracy.agreement if accuracy else None,
    }
    row: Row = {}
    for name, share in shares.items():
        row[name] = share.percent if share else None
        row[f"{name}_low"] = share.low if share else None
        row[f"{name}_high"] = share.high if share else None
    return row | {
        "accuracy_images": accuracy.images if accuracy else None,
        "accuracy_labelled": accuracy.labelled if accuracy else None,
        "accuracy_left_out": accuracy.left_out if accuracy else None,
        "accuracy_folder": accuracy.folder if accuracy else None,
        "accuracy_images_sha256": accuracy.sample if accuracy else None,
        "accuracy_weights": accuracy.weights if accuracy else None,
        "accuracy_evaluated_as": accuracy.evaluated_as or None if accuracy else None,
    }


def _speedup_by(faster: Speedup | None) -> Row:
    """Which accuracies a speed-up compares at: measured ones of the same images, or published ones."""
    return {"speedup_by": ("measured" if faster.subject.accuracy else "published") if faster else None}


def _above(cell: Cell, floor: Floor | None) -> Row:
    latency = cell.latency
    return {
        "floor_ms": floor.whole_ms if floor else None,
        "layers_floor_ms": floor.layers_ms if floor else None,
        "above_floor": latency.ms / floor.whole_ms if latency and floor else None,
    }
