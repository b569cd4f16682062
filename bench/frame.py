"""Records as a pandas DataFrame, one row each."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.records.conditions import Conditions
from bench.records.record import Record
from bench.records.store import read_records, read_results
from bench.trust.measurement import Measurement
from system.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS = (
    *("ms", "low_ms", "high_ms", "within_sweep", "undivided_ms", "plain_median_ms"),
    *("visits", "visits_counted", "samples"),
)
_WHOLE = ("params", "macs", "visits", "visits_counted", "samples", "usable_cores")


def frame(results: Path) -> "pd.DataFrame":
    """The records of a folder, or of one file, in the order in which they were written.

    Raises UserError where there is no such folder or file, or where it holds no record or one of a newer suite.
    """
    import pandas as pd

    if not results.exists():
        raise UserError("no such results", found=str(results), fix="name a folder of *.jsonl files, or one of them")
    records = read_results(results) if results.is_dir() else read_records(results)
    if not records:
        raise UserError("no records to load", found=str(results), fix="measure first, with make bench")
    table = pd.DataFrame([_row(record) for record in records])
    return table.astype(dict.fromkeys(_WHOLE, "Int64")).assign(time=pd.to_datetime(table["time"], utc=True))


def _row(record: Record) -> dict[str, Any]:
    return {
        "target": record.target.name,
        "model": record.model.name,
        "family": record.model.family,
        "resolution_px": record.model.resolution_px,
        "params": record.model.params,
        "macs": record.model.macs,
        "top1_percent": record.model.top1_percent,
        "precision": record.target.precision,
        "batch": record.target.batch,
        **_numbers(record.measurement, record.target.batch),
        "verdict": record.verdict.word if record.verdict else None,
        "verdict_detail": record.verdict.detail if record.verdict else None,
        "reason": record.reason,
        "sweep": record.sweep,
        **_circumstances(record.conditions),
    }


def _numbers(measurement: Measurement | None, batch: int) -> dict[str, Any]:
    """Times of one image, in milliseconds; none where there is no measurement, or it can't have been measured."""
    if measurement is None or not measurement.possible:
        return dict.fromkeys(_NUMBERS)
    estimate, per_image_ms = measurement.estimate, 1e3 / batch
    numbers = (
        estimate.number_s * per_image_ms,
        None if estimate.low_s is None else estimate.low_s * per_image_ms,
        None if estimate.high_s is None else estimate.high_s * per_image_ms,
        estimate.within_sweep,
        measurement.undivided.number_s * per_image_ms,
        measurement.raw_median_s * per_image_ms,
        len(measurement.visits),
        len(measurement.counted),
        len(measurement.seconds),
    )
    return dict(zip(_NUMBERS, numbers, strict=True))


def _circumstances(conditions: Conditions) -> dict[str, Any]:
    """When it ended, the machine, and one column `version_NAME` a package."""
    machine = conditions.machine
    return {
        "time": conditions.end.time if conditions.end else None,
        "cpu": machine.cpu,
        "usable_cores": machine.usable_cores,
        "python": machine.python,
        "suite": machine.suite,
        **{f"version_{name}": version for name, version in machine.versions.items()},
    }
