"""`Board`: how far the sweeps of a fleet are: on a terminal a line of each device, elsewhere lines of each target."""

import io
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Literal, TextIO

from bench.fleet.state import State
from bench.fleet.watch import Place, Watch
from bench.progress import Bar, in_lines

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.table import Table

_EVERY_S = 1.0  # how often the table is drawn: what draws it may be the machine that measures
_LINE_EVERY_S = 60.0
_AROUND = 4  # lines of the terminal that aren't rows: the heading, two below the table, and what is said above it
_WIDEST, _GAP = 24, 2  # columns of the terminal
_NUMBERS = {"visits", "left"}
_COLUMNS = ("target", "host", "device", "network", "visits", "left")


class Board:
    """Progress of several sweeps at once, while its context is open."""

    def __init__(self, targets: Sequence[str]) -> None:
        self._state, self._terminal = State(list(targets)), False
        self._showing: AbstractContextManager[None] | None = None

    def __enter__(self) -> "Board":
        if sys.stderr.isatty():
            from rich.console import Console

            console = Console(file=sys.stderr)
            self._terminal = console.is_interactive
            if self._terminal:
                self._showing = _shown(self._state, console)
                self._showing.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self._showing is not None:
            self._showing.__exit__(None, None, None)

    def watch(self, target: str) -> Watch:
        """What one target's sweep tells the board."""
        return self._state.watch(target) if self._terminal else _Lines(target)


class _Lines(Watch):
    """A target's stages in lines, and the loss of a device: a line a minute at most."""

    def __init__(self, target: str) -> None:
        self._target, self._said_s, self._unsaid = target, float("-inf"), 0

    def stage(self, name: str, total: float) -> AbstractContextManager[Bar]:
        return in_lines(f"{self._target}: {name}", total)

    def lost(self, place: Place, reason: str) -> None:
        if (now_s := time.monotonic()) - self._said_s < _LINE_EVERY_S:
            self._unsaid += 1
            return
        more = f", and {self._unsaid} more before" if self._unsaid else ""
        self._said_s, self._unsaid = now_s, 0
        print(f"{self._target}: lost {place.host}: {reason}{more}", file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def _shown(state: State, console: "Console") -> Iterator[None]:
    """The table at the bottom of the terminal; what is printed to stderr meanwhile stands above it."""
    from rich.live import Live

    live = Live(
        _Picture(state),
        console=console,
        refresh_per_second=1 / _EVERY_S,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
        redirect_stderr=False,
    )
    stderr = sys.stderr
    with live:
        sys.stderr = _Above(console, stderr)
        try:
            yield
        finally:
            sys.stderr = stderr


class _Picture:
    """The table as it is when it is drawn, no higher than the terminal."""

    def __init__(self, state: State) -> None:
        self._state = state

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        from rich.text import Text

        rows = self._state.shown(max(1, console.size.height - _AROUND))
        yield _table([(*row[:-1], _clock(row.left_s)) for row in rows], console.size.width)
        for line in self._state.summary():
            yield Text(line, style="dim", no_wrap=True, overflow="ellipsis")


def _table(rows: Sequence[Sequence[str]], width: int) -> "Table":
    """Rows of a terminal's width: where it is short, the networks' names are cut first."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    widths = [min(_WIDEST, max(len(row[column]) for row in [_COLUMNS, *rows])) for column in range(len(_COLUMNS))]
    network = _COLUMNS.index("network")
    room = width - sum(widths) + widths[network] - _GAP * len(widths)
    widths[network] = max(len("network"), min(room, max(len(row[network]) for row in [_COLUMNS, *rows])))
    for name, each in zip(_COLUMNS, widths, strict=True):
        justify: Literal["left", "right"] = "right" if name in _NUMBERS else "left"
        table.add_column(name, no_wrap=True, overflow="ellipsis", justify=justify, width=each)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


class _Above(io.TextIOBase):
    """stderr while a table is shown: each thread's whole lines are printed above it."""

    def __init__(self, console: "Console", stderr: TextIO) -> None:
        self._console, self._stderr, self._begun = console, stderr, threading.local()

    def write(self, text: str) -> int:
        from rich.text import Text

        *lines, rest = (getattr(self._begun, "text", "") + text).split("\n")
        self._begun.text = rest
        if lines:
            self._console.print(Text.from_ansi("\n".join(lines)), soft_wrap=True)
        return len(text)

    def fileno(self) -> int:
        return self._stderr.fileno()

    def isatty(self) -> bool:
        """No, since nothing else may draw on the terminal now."""
        return False
