"""The CSV files of this package: what others published, and what was counted or scored once."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from system.files import write_whole


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file, each by the names of its columns."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file in place of what was there. Raises UserError where that can't be done."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_whole(path, text.getvalue().encode(), fix="work in a checkout of your own")
