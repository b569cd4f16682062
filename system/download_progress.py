"""Progress of a download on stderr: a bar on a terminal, elsewhere a line every some seconds."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LINE_EVERY_S = 10.0


@contextmanager
def download_progress(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """A function to call with the bytes that have arrived and with how many there are, None where nobody knows."""
    if sys.stderr.isatty():
        with _bar(name) as show:
            yield show
    else:
        yield _lines(name)


def _lines(name: str) -> Callable[[int, int | None], None]:
    begun_s, said_s, began_at = time.monotonic(), -_LINE_EVERY_S, None

    def show(arrived: int, size_bytes: int | None) -> None:
        nonlocal said_s, began_at
        now_s = time.monotonic() - begun_s
        began_at = arrived if began_at is None else began_at
        if now_s - said_s < _LINE_EVERY_S and arrived != size_bytes:
            return
        said_s = now_s
        of = "" if size_bytes is None else f" of {size_bytes / 1e6:.1f}"
        rate = f", {(arrived - began_at) / now_s / 1e6:.1f} MB/s" if now_s >= 1 else ""
        print(f"fetching {name}: {arrived / 1e6:.1f}{of} MB{rate}", file=sys.stderr, flush=True)  # noqa: T201

    return show


@contextmanager
def _bar(name: str) -> Iterator[Callable[[int, int | None], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn(f"fetching {name}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda arrived, size_bytes: progress.update(task, completed=arrived, total=size_bytes)
