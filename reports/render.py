"""From a results folder to the files that people read."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.newest import newest_records
from models.errors import UserError
from reports.chart import Style, chart
from reports.gather import Report, gather
from reports.markdown import markdown
from reports.sheet import overview
from reports.table import csv


@dataclass(frozen=True)
class Order:
    """What to render from where to where."""

    results: Path
    out: Path
    style: Style = field(default_factory=Style)


def render(order: Order) -> list[Path]:
    """Write every report and return the files. Raises UserError where records or folder can't be used."""
    report = gather(newest_records(order.results))
    return [_write(order.out / name, content) for name, content in _files(report, order)]


def _files(report: Report, order: Order) -> Iterator[tuple[str, bytes]]:
    yield "table.md", markdown([overview(report)]).encode()
    yield "table.csv", csv(report).encode()
    for format_, content in chart(report, order.style, ("png", "svg")).items():
        yield f"speed.{format_}", content


def _write(path: Path, content: bytes) -> Path:
    """Write a file whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
            temporary = Path(file.name)
            try:
                file.write(content)
                file.close()
                temporary.chmod(0o644)
                temporary.replace(path)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UserError(f"can't write {path}", found=error.strerror or str(error), fix="give another --out") from error
    return path
