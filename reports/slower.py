"""Integer files that are slower than their floating-point ones: each gets a remark, since INT8 should be faster."""

from collections.abc import Sequence
from dataclasses import replace

from reports.cells import Cell, Column


def remark_slower(columns: Sequence[Column]) -> list[Column]:
    """The columns, with a remark on each integer number that is slower than a floating-point one of the same network.

    Both are of the same runtime, hardware and batch, and their 95 % intervals don't overlap.
    """
    return [
        replace(column, cells={model: _remarked(column, model, columns) for model in column.cells})
        if _is_integer(column)
        else column
        for column in columns
    ]


def _remarked(column: Column, model: str, columns: Sequence[Column]) -> Cell:
    cell = column.cells[model]
    if cell.measured is None:
        return cell
    others = [
        (found.latency.ms, other.target.precision, other.name)
        for other in columns
        if not _is_integer(other)
        and (found := other.cells.get(model, Cell()).measured) is not None
        and (found.hardware, found.batch) == (cell.measured.hardware, cell.measured.batch)
        and found.latency.high_ms < cell.measured.latency.low_ms
    ]
    if not others:
        return cell
    ms, precision, name = min(others)
    share = cell.measured.latency.ms / ms - 1
    remark = f"slower than in {precision} by {share:.0%} ({name})"
    return replace(cell, note="; ".join(filter(None, (cell.note, remark))))


def _is_integer(column: Column) -> bool:
    return column.target.precision.startswith("int")
