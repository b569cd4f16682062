"""Records as a pandas DataFrame, one row each, for whoever goes on with them in a notebook."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from bench.records.record import Measurement, Record
from bench.records.store import read_records, read_results
from system.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

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
        **_circumstances(msgspec.to_builtins(record.conditions)),
    }


def _numbers(measurement: Measurement | None, batch: int) -> dict[str, Any]:
    """Times of one image, in milliseconds; none where there is no measurement or it holds a visit without samples."""
    if measurement is None or not measurement.visits or not all(visit.samples.seconds for visit in measurement.visits):
        return dict.fromkeys(("ms", "low_ms", "high_ms", "plain_median_ms", "visits", "visits_counted", "samples"))
    estimate, per_image_ms = measurement.estimate, 1e3 / batch
    return {
        "ms": estimate.median_s * per_image_ms,
        "low_ms": estimate.low_s * per_image_ms,
        "high_ms": estimate.high_s * per_image_ms,
        "plain_median_ms": measurement.raw_median_s * per_image_ms,
        "visits": len(measurement.visits),
        "visits_counted": len(measurement.trusted),
        "samples": len(measurement.seconds),
    }


def _circumstances(conditions: dict[str, Any]) -> dict[str, Any]:
    """When it ended, the machine, and one column `version_NAME` a package."""
    machine = conditions.get("machine") or {}
    return {
        "time": (conditions.get("end") or {}).get("time"),
        "cpu": machine.get("cpu"),
        "usable_cores": machine.get("usable_cores"),
        "python": machine.get("python"),
        "suite": machine.get("suite"),
        **{f"version_{name}": version for name, version in (machine.get("versions") or {}).items()},
    }
