"""`python -m reports compare`: what changed between two runs; with --fail-if-slower, exit code 1 where it is slower."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.records.record import Record
from reports.compare.compare import TEST, Comparison, compare
from reports.compare.contexts import differences
from reports.compare.gate import EXIT_CODES, gate
from reports.compare.runs import by_cell, last_two, run_named
from system.command_line import print_json, print_table, typed
from system.errors import UserError, one_line, printable


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
    if (arguments.old is None) != (arguments.new is None):
        raise UserError("compare takes two runs or none", found=arguments.old, fix="name OLD and NEW, or neither")
    if arguments.sweeps < 1:
        raise UserError("--sweeps counts sweeps", found=arguments.sweeps, fix="give 1 or more")
    if arguments.old is None:
        old, new = last_two(arguments.results, arguments.sweeps)
    else:
        old, new = (run_named(name, arguments.results, arguments.sweeps) for name in (arguments.old, arguments.new))
    comparisons = compare(old, new)
    if not comparisons:
        raise UserError("nothing to compare", found="no network on a target that both runs have", fix="choose others")
    _warn(old, new)
    outcome, lines = gate(old, new, comparisons, arguments.fail_if_slower)
    if arguments.json:
        import msgspec

        print_json({"test": TEST, "outcome": outcome, "comparisons": msgspec.to_builtins(comparisons)})
    else:
        _print(comparisons)
    for line in lines:
        print(f"error: {printable(one_line(line))}", file=sys.stderr)  # noqa: T201
    return EXIT_CODES[outcome]


def _warn(old: Sequence[Record], new: Sequence[Record]) -> None:
    olds, news = by_cell(old), by_cell(new)
    lines: dict[str, int] = {}
    for cell in olds.keys() & news.keys():
        # The newest sweeps are compared, and within each run every earlier sweep with the newest.
        pairs = [(olds[cell][-1], news[cell][-1])]
        pairs += [(earlier, side[-1]) for side in (olds[cell], news[cell]) for earlier in side[:-1]]
        for line in {line for pair in pairs for line in differences(*pair)}:
            lines[line] = lines.get(line, 0) + 1
    for line, count in sorted(lines.items()):
        print(f"warning: the runs differ in {printable(line)} ({count} networks)", file=sys.stderr)  # noqa: T201


def _print(comparisons: Sequence[Comparison]) -> None:
    rows = [
        [
            found.target,
            found.model,
            _milliseconds(found.old_s),
            _milliseconds(found.new_s),
            f"{found.ratio:.3f}" if found.ratio is not None else "",
            f"{found.low:.3f} to {found.high:.3f}" if found.low is not None else "",
            "" if found.detectable is None else "over 100%" if found.detectable > 1 else f"{found.detectable:.1%}",
            _outcome(found),
        ]
        for found in comparisons
    ]
    heads = ["old ms a batch", "new ms a batch", "new/old", "95 % interval", "detectable", "change"]
    print_table(["target", "model", *heads], rows)
    print(f"{TEST}. Detectable: a change that 8 of 10 such comparisons would find.", file=sys.stderr)  # noqa: T201


def _outcome(found: Comparison) -> str:
    if found.reason or found.p is None:
        return f"can't say: {found.reason or 'the interval is infinite'}"
    if not found.different or found.ratio is None:
        return "none found"
    return f"{abs(found.ratio - 1):.1%} {'slower' if found.ratio > 1 else 'faster'}"


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e3:.3f}"
