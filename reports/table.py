"""The table: a row a network, a column a target; measured numbers upright, published ones in italics."""

from typing import TYPE_CHECKING, Any

from bench.record import Network
from reports.gather import Cell, Report

if TYPE_CHECKING:
    import pandas as pd


def frame(report: Report) -> "pd.DataFrame":
    """Every number, one column each, milliseconds of one image; empty where there is none."""
    import pandas as pd

    return pd.DataFrame([_row(report, network) for network in report.networks])


def _row(report: Report, network: Network) -> dict[str, Any]:
    row: dict[str, Any] = {
        "model": network.name,
        "family": network.family,
        "resolution_px": network.resolution_px,
        "params": network.params,
        "macs": network.macs,
        "top1_percent": network.top1_percent,
    }
    for column in report.columns:
        cell = column.cell(network)
        row |= {f"{column.name}_{key}": value for key, value in _numbers(cell).items()}
    return row


def _numbers(cell: Cell) -> dict[str, Any]:
    measured, published = cell.measured, cell.published
    return {
        "ms": measured.latency.ms if measured else None,
        "low_ms": measured.latency.low_ms if measured else None,
        "high_ms": measured.latency.high_ms if measured else None,
        "published_ms": published.ms if published else None,
        "verdict": measured.verdict if measured else None,
        "note": cell.note or None,
    }


def csv(report: Report) -> str:
    """The frame as CSV; counts stay whole numbers."""
    data = frame(report)
    data = data.astype({"params": "Int64", "macs": "Int64"})
    return data.to_csv(index=False, lineterminator="\n")
