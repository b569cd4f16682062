"""The part of the command line of `python -m bench` that asks for an accuracy."""

import argparse
from pathlib import Path

from bench.protocol import Protocol, option_of
from system.errors import UserError


def add_accuracy_options(parser: argparse.ArgumentParser) -> None:
    """The arguments that make an evaluation of a sweep."""
    group = parser.add_argument_group("accuracy")
    what = "instead: how many images of this folder each network puts into their class, beside torch in FP32"
    group.add_argument("--accuracy", type=Path, metavar="DIR", help=what)
    group.add_argument("--images", type=int, metavar="N", help="only N images, spread evenly over the folder's")


def is_evaluation(arguments: argparse.Namespace) -> bool:
    """Whether an accuracy is asked for. Raises UserError where a part of something else is asked for as well.

    `--resume` may be given, and changes nothing: what was predicted is never predicted again.
    """
    if arguments.accuracy is None:
        if arguments.images is not None:
            raise UserError("--images is of an evaluation", found="no --accuracy", fix="give --accuracy DIR")
        return False
    others = {
        "--against": arguments.against,
        "--fail-if-slower": arguments.fail_if_slower is not None,
        "--profile": arguments.profile,
        "--repeat": arguments.repeat != 1,
    }
    timing = [name for name in Protocol.__struct_fields__ if name != "timeout_s"]
    others |= {option_of(name): vars(arguments)[name] is not None for name in timing}
    if given := [flag for flag, is_given in others.items() if is_given]:
        raise UserError("--accuracy times nothing", found=" and ".join(given), fix="leave that out")
    if arguments.images is not None and arguments.images < 1:
        raise UserError("--images must be 1 or more", found=f"{arguments.images}", fix="leave it out for all")
    return True
