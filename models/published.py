"""The published table as data: what the model card prints, never what this project measured."""

import functools
from dataclasses import dataclass
from pathlib import Path

from models.csv_files import read_rows

_TABLE = Path(__file__).with_name("published.csv")

# The targets that have a published column, and the column.
COLUMNS = {"v100": "v100_ms", "t4": "t4_ms", "pixel2": "pixel2_ms"}


@dataclass(frozen=True)
class Published:
    """One printed row; `latency_printed` is milliseconds per image as printed ("0.20"), by target name.

    The notes say what a printed figure includes, leaves out or was derived from, where that is known.
    """

    params: str
    flops: str
    top1_percent: float
    latency_printed: dict[str, str]
    checkpoint_url: str
    counts_note: str
    latency_note: str

    @property
    def latency_ms(self) -> dict[str, float]:
        """The same figures as numbers, milliseconds per image."""
        return {target: float(printed) for target, printed in self.latency_printed.items()}


@functools.cache
def published() -> dict[str, Published]:
    """Every printed row by model name, in the printed order (source: the ZenNet model card, ICCV 2021)."""
    return {row["model"]: _read(row) for row in read_rows(_TABLE)}


def _read(row: dict[str, str]) -> Published:
    return Published(
        params=row["params_printed"],
        flops=row["flops_printed"],
        top1_percent=float(row["top1_percent"]),
        latency_printed={target: row[column] for target, column in COLUMNS.items() if row[column]},
        checkpoint_url=row["checkpoint_url"],
        counts_note=row["counts_note"],
        latency_note=row["latency_note"],
    )
