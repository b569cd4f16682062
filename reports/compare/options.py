"""`python -m reports compare`: what changed between two runs; with --fail-if-slower, exit code 1 where it is slower."""

import argparse
from pathlib import Path

from system.command_line import typed


def add_compare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "compare", prog=typed("reports compare"), help="what changed between two runs", description=_compare.__doc__
    )
    parser.add_argument("old", nargs="?", help="folder, file or sweep id; the last sweep but one unless given")
    parser.add_argument("new", nargs="?", help="likewise; the last sweep unless given")
    parser.add_argument("--results", type=Path, default=Path("results"), help="where sweeps are (default: %(default)s)")
    parser.add_argument(
        "--sweeps", type=int, default=1, metavar="N", help="pool the last N sweeps of each run (default: 1)"
    )
    parser.add_argument(
        "--fail-if-slower",
        type=float,
        metavar="PERCENT",
        help="exit 1 if a network is slower by more, or has a usable number in OLD and none in NEW; exit 3 if none of "
        "them can be tested",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_compare)


def _compare(arguments: argparse.Namespace) -> int:
    """Compare two runs, network by network: ratios with their 95 % intervals, and what differs in their contexts."""
    from reports.compare.command import run_compare

    return run_compare(arguments)
