"""The points of every curve as CSV, a row each."""

from collections.abc import Sequence

from reports.axis.curve import CurvePoint
from reports.axis.finding import Finding
from reports.axis.rates import Rate, rate_of
from reports.table.to_csv import Row, as_csv, numbers_of


def axis_csv(findings: Sequence[Finding]) -> str:
    """Target and model without what varies, the axis and where the point is on it, and the numbers of table.csv."""
    import pandas as pd

    rows = [_row(found, point) for found in findings for point in found.curve.points]
    return as_csv(pd.DataFrame(rows).astype(dict.fromkeys(("batch", "samples", "visits"), "Int64")))


def _row(found: Finding, point: CurvePoint) -> Row:
    row: Row = {
        "axis": found.curve.axis.value,
        "target": found.curve.target,
        "model": found.curve.model,
        "at": point.number,
        "resolution_px": point.network.resolution_px,
        "knee": point == found.point,
    }
    rate = rate_of(point.measured.latency) if point.measured else None
    return row | numbers_of(point.cell) | _interval(rate)


def _interval(rate: Rate | None) -> Row:
    known = rate if rate and rate.has_interval else None
    return {
        "images_per_s_low": known.low if known else None,
        "images_per_s_high": known.high if known else None,
    }
