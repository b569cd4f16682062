"""`zennet-latency`: networks, exports, targets, measurements and reports by one command, from any directory."""

import importlib
import importlib.metadata
import os
import sys
from typing import NamedTuple

from system.command_line import COMMAND, run
from system.errors import UserError
from system.names import suggestion


class _Subcommand(NamedTuple):
    package: str
    arguments: tuple[str, ...]
    does: str


_SUBCOMMANDS = {
    "models": _Subcommand("models", (), "the networks, their sizes as computed and as printed"),
    "export": _Subcommand("exporters", (), "write networks in a format"),
    "devices": _Subcommand("devices", (), "each target, and whether it can run here or why not"),
    "bench": _Subcommand("bench", (), "measure networks on targets"),
    "report": _Subcommand("reports", ("render",), "tables, chart and page of what was measured"),
    "compare": _Subcommand("reports", ("compare",), "what changed between two runs"),
}


def main() -> None:
    """Run the subcommand that the arguments name, and exit with its code."""
    run(_main)


def _main() -> int:
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in {"-h", "--help"}:
        _print_help()
        return 0
    if name == "--version":
        print(COMMAND, importlib.metadata.version(COMMAND))  # noqa: T201
        return 0
    if name not in _SUBCOMMANDS:
        raise UserError("no such command", found=repr(name), fix=suggestion(name, _SUBCOMMANDS))
    subcommand = _SUBCOMMANDS[name]
    # Child processes must not import from the working directory, which may have a folder `models` or `timm`.
    os.environ["PYTHONSAFEPATH"] = "1"
    sys.argv = [f"{COMMAND} {name}", *subcommand.arguments, *arguments]
    # The packages lie above this one, so they are found by name.
    code: int = importlib.import_module(f"{subcommand.package}.__main__").main()
    return code


def _print_help() -> None:
    print(f"usage: {COMMAND} [--help] [--version] COMMAND ...\n\n{__doc__}\n")  # noqa: T201
    for name, subcommand in _SUBCOMMANDS.items():
        print(f"  {name:<9} {subcommand.does}")  # noqa: T201
    print(f"\n{COMMAND} COMMAND --help says more.")  # noqa: T201
