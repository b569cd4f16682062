"""The duet's part of the command line of `python -m bench`."""

import argparse

from system.errors import UserError


def add_duet_options(parser: argparse.ArgumentParser) -> None:
    """The arguments that make a duet of a sweep."""
    group = parser.add_argument_group("duet")
    what = "option:KEY=VALUE, weights:PATH, artifact:PATH, target:NAME or python:PATH; may be given several times"
    group.add_argument(
        "--against", action="append", metavar="WHAT", help=f"instead: compare with the same but for WHAT, {what}"
    )
    group.add_argument(
        "--fail-if-slower", type=float, metavar="PERCENT", help="exit 1 where one is slower than that, beyond chance"
    )
    group.add_argument("--json", action="store_true", help="print one JSON document")


def is_duet(arguments: argparse.Namespace) -> bool:
    """Whether a duet is asked for. Raises UserError where only a part of one is, or a sweep's or profile's as well."""
    duet = {"--fail-if-slower": arguments.fail_if_slower is not None, "--json": arguments.json}
    others = {"--repeat": arguments.repeat != 1, "--resume": arguments.resume, "--profile": arguments.profile}
    if not arguments.against:
        if given := [flag for flag, is_given in duet.items() if is_given]:
            raise UserError(f"{' and '.join(given)} is of a duet", found="no --against", fix="say against what")
        return False
    if given := [flag for flag, is_given in others.items() if is_given]:
        raise UserError("--against measures one duet", found=" and ".join(given), fix="leave that out")
    if arguments.fail_if_slower is not None and not arguments.fail_if_slower > -100:
        raise UserError("--fail-if-slower is out of range", found=f"{arguments.fail_if_slower:g}", fix="give percents")
    return True
