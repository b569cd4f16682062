"""`python -m reports`: tables, chart and page of the records in results/ and the published numbers; the published
figure with measured networks; comparisons.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from reports.compare.options import add_compare
from reports.options import BASELINE
from system.command_line import argument_parser, run, typed

Command = Callable[[argparse.Namespace], int]


def main() -> int:
    """Run one of the subcommands."""
    parser = argument_parser("reports", str(__doc__))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_add_render, _add_figure, add_compare):
        add(commands)
    arguments = parser.parse_args()
    command: Command = arguments.run
    return command(arguments)


def _add_render(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "render", prog=typed("reports render"), help="write tables, chart and page", description=_render.__doc__
    )
    _add_common(parser)
    parser.add_argument("--families", nargs="+", default=["*"], metavar="GLOB", help="which networks")
    parser.add_argument("--log", action="store_true", help="logarithmic latency axis")
    parser.set_defaults(run=_render)


def _add_figure(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "figure", prog=typed("reports figure"), help="draw the published figure anew", description=_figure.__doc__
    )
    _add_common(parser)
    networks = "name, glob, group or source of networks; may be given several times (default: @figure)"
    parser.add_argument("--model", action="append", metavar="MODEL", help=networks)
    parser.add_argument("--linear", action="store_true", help="linear latency axis, as in the published figure")
    parser.set_defaults(run=_figure)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder (default: %(default)s)")
    parser.add_argument("--against", metavar="FAMILY", help=f"family that speed-ups compare with (default: {BASELINE})")
    parser.add_argument("--targets", nargs="+", default=["*"], metavar="GLOB", help="which columns and panels")
    parser.add_argument("--title", default="", help="title of the chart")


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


def _figure(arguments: argparse.Namespace) -> int:
    """Draw accuracy against latency of a group of networks, a panel for each device, measured or published."""
    from reports.chart.chart import Style
    from reports.figure import FigureRequest, draw_figure

    style = Style(log=not arguments.linear, title=arguments.title)
    models = arguments.model or ["@figure"]
    request = FigureRequest(arguments.results, arguments.out, models, arguments.targets, style, arguments.against)
    for path in draw_figure(request):
        print(path)  # noqa: T201
    return 0


if __name__ == "__main__":
    run(main)
