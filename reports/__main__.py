"""`python -m reports`: tables, chart and page of the records in results/ and the published numbers; comparisons."""

import argparse
from collections.abc import Callable
from pathlib import Path

from reports.compare.command import add_compare
from reports.gather import BASELINE
from system.command_line import argument_parser, run, typed

Command = Callable[[argparse.Namespace], int]


def main() -> int:
    """Run one of the subcommands."""
    parser = argument_parser("reports", str(__doc__))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_add_render, add_compare):
        add(commands)
    arguments = parser.parse_args()
    command: Command = arguments.run
    return command(arguments)


def _add_render(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "render", prog=typed("reports render"), help="write tables, chart and page", description=_render.__doc__
    )
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder (default: %(default)s)")
    parser.add_argument("--against", metavar="FAMILY", help=f"family that speed-ups compare with (default: {BASELINE})")
    parser.add_argument("--targets", nargs="+", default=["*"], metavar="GLOB", help="which columns and panels")
    parser.add_argument("--families", nargs="+", default=["*"], metavar="GLOB", help="which networks")
    parser.add_argument("--log", action="store_true", help="logarithmic latency axis")
    parser.add_argument("--title", default="", help="title of the chart")
    parser.set_defaults(run=_render)


def _render(arguments: argparse.Namespace) -> int:
    """Write tables, chart and page of all records in the folder and of the published numbers."""
    from reports.chart.chart import Style
    from reports.render import RenderRequest, render

    style = Style(log=arguments.log, title=arguments.title)
    request = RenderRequest(
        arguments.results, arguments.out, style, arguments.targets, arguments.families, arguments.against
    )
    for path in render(request):
        print(path)  # noqa: T201
    return 0


if __name__ == "__main__":
    run(main)
