"""What `python -m reports compare` does once its arguments are read."""

import argparse
import sys
from collections.abc import Sequence

from bench.records.record import Record
from reports.compare.compare import TEST, Comparison, compare
from reports.compare.contexts import differences
from reports.compare.gate import EXIT_CODES, gate
from reports.compare.runs import by_cell, last_two, run_named
from system.command_line import print_json, print_table
from system.errors import UserError, one_line, printable


def run_compare(arguments: argparse.Namespace) -> int:
    """Print the comparison; the exit code of its gate. Raises UserError where the runs can't be compared."""
    if (arguments.old is None) != (arguments.new is None):
        raise UserError("compare takes two runs or none", found=arguments.old, fix="name OLD and NEW, or neither")
    percent = arguments.fail_if_slower
    if percent is not None and not percent > -100:  # nor is NaN
        raise UserError("--fail-if-slower is out of range", found=f"{percent:g}", fix="give more than -100")
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
    outcome, lines = gate(old, new, comparisons, percent)
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
        networks = f"{count} {'network' if count == 1 else 'networks'}"
        print(f"warning: the runs differ in {printable(line)} ({networks})", file=sys.stderr)  # noqa: T201


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
