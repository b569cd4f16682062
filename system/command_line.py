"""What all commands share: one line for a user's error, exit codes, JSON and tables on stdout."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from system.errors import UserError, printable
from system.streams import Lossy, WholeLines, give_up, open_closed_streams, write_any_text

if TYPE_CHECKING:
    import argparse

COMMAND = "zennet-latency"
INTERRUPTED = 130  # 128 + SIGINT, as shells report it


def run(main: Callable[[], int]) -> None:
    """Call `main` and exit with its code; a UserError becomes one `error:` line and exit 1, Ctrl-C exit 130.

    Nothing depends on stderr: where it is closed, what is measured goes on.
    """
    open_closed_streams()
    write_any_text()
    stderr, sys.stderr = sys.stderr, WholeLines(Lossy(sys.stderr))
    try:
        _refuse_no_directory()
        code = main()
        sys.stdout.flush()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        code = 1
    except BrokenPipeError:  # the reader (`| head`) has closed its end
        give_up(sys.stdout)
        code = 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201
        code = INTERRUPTED
    finally:
        sys.stderr.flush()
        sys.stderr = stderr
        try:
            stderr.flush()
        except OSError:
            give_up(stderr)
    sys.exit(code)


def _refuse_no_directory() -> None:
    """Raises UserError where the working directory was removed: no process can be started there, nor a path found."""
    try:
        os.getcwd()  # noqa: PTH109 - pathlib takes a millisecond to import
    except FileNotFoundError as error:
        raise UserError("no working directory", found="it was removed", fix="change to another one") from error


def typed(modules: str) -> str:
    """What a command was started with: `python -m` and its modules, or the installed command with a subcommand."""
    return sys.argv[0] if sys.argv[0].startswith(f"{COMMAND} ") else f"python -m {modules}"


def argument_parser(modules: str, about: str) -> "argparse.ArgumentParser":
    """A parser that calls the command, in its usage and in `about`, what the user typed."""
    import argparse

    program = typed(modules)
    return argparse.ArgumentParser(prog=program, description=about.replace(f"python -m {modules}", program))


def print_json(document: object) -> None:
    """Write one JSON document to stdout."""
    import json

    print(json.dumps(document, indent=2, ensure_ascii=False))  # noqa: T201


def print_table(header: list[str], rows: list[list[str]]) -> None:
    """Write aligned columns to stdout, the way `ps` does; what a terminal would obey is escaped."""
    shown = [[printable(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[column]) for row in shown) for column in range(len(header))]
    for row in shown:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())  # noqa: T201
