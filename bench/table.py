"""What a sweep measured, as a table on stdout."""

from collections.abc import Sequence

from bench.records.record import Record
from bench.trust.statistics import Estimate
from devices.targets import Target
from system.command_line import print_table


def print_records(target: Target, records: Sequence[Record]) -> None:
    """A row for each network, as `rows_of` gives them."""
    print_rows(target, rows_of(target, records))


def print_rows(target: Target, rows: list[list[str]]) -> None:
    """The table of rows that `rows_of` gave."""
    print_table([target.name, "ms per image", "95 % interval", "plain median", "visits", "verdict"], rows)


def rows_of(target: Target, records: Sequence[Record]) -> list[list[str]]:
    """A row for each network: its number with the interval and the verdict, or the reason why there is none."""
    rows = []
    for record in records:
        if record.measurement is None:
            rows.append([record.model.name, "", "", "", "", f"no number: {record.reason}"])
            continue
        estimate, verdict = record.measurement.estimate, record.verdict
        per_image_ms = 1e3 / target.batch
        early = f"; ended early: {record.reason}" if record.reason else ""
        rows.append(
            [
                record.model.name,
                f"{estimate.number_s * per_image_ms:.3f}",
                _interval(estimate, per_image_ms),
                f"{record.measurement.raw_median_s * per_image_ms:.3f}",
                f"{len(record.measurement.visits)}",
                f"{verdict.word}: {verdict.detail}{early}" if verdict else "",
            ]
        )
    return rows


def _interval(estimate: Estimate, per_image_ms: float) -> str:
    if estimate.low_s is None or estimate.high_s is None:
        return "none"
    return f"{estimate.low_s * per_image_ms:.3f} to {estimate.high_s * per_image_ms:.3f}"
