"""Progress on stderr while a sweep runs: bars on a terminal, elsewhere a line a minute and for each stage's end."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_WORTH_A_LINE_S = 5.0
_LINE_EVERY_S = 60.0


class Bar:
    """One stage's bar; without one it does nothing."""

    def __init__(self, progress: "Progress | None" = None, task: "TaskID | None" = None) -> None:
        self._progress, self._task = progress, task

    def at(self, done: float, text: str) -> None:
        """Show that `done` of the total is done, and what came last."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, description=text)


class _Lines(Bar):
    """A line now and then, with what is done and what is left at this pace, for logs."""

    def __init__(self, name: str, total: float) -> None:
        super().__init__()
        self._name, self._total = name, total
        self._begun_s = self._said_s = time.monotonic()

    def at(self, done: float, text: str) -> None:
        now_s = time.monotonic()
        if now_s - self._said_s < _LINE_EVERY_S or not 0 < done < self._total:
            return
        self._said_s = now_s
        left_min = (now_s - self._begun_s) * (self._total / done - 1) / 60
        print(f"{self._name}: {done / self._total:.0%}, {left_min:.0f} min left: {text}", file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def stage(name: str, total: float) -> Iterator[Bar]:
    """A bar for one stage of a sweep, with the wall time that it took and what is left of it at this pace."""
    if total <= 0:
        yield Bar()
        return
    if not sys.stderr.isatty():
        with in_lines(name, total) as bar:
            yield bar
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    elapsed, left = TimeElapsedColumn(), TimeRemainingColumn()
    columns = (
        TextColumn(f"{name:8}"),
        BarColumn(),
        elapsed,
        TextColumn("left:"),
        left,
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Bar(progress, progress.add_task("", total=total))


@contextmanager
def in_lines(name: str, total: float) -> Iterator[Bar]:
    """A stage's progress as lines, whatever stderr is."""
    begun_s = time.monotonic()
    yield _Lines(name, total)
    if (took_s := time.monotonic() - begun_s) >= _WORTH_A_LINE_S:
        print(f"{name}: {took_s:.0f} s", file=sys.stderr, flush=True)  # noqa: T201
