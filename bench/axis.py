"""An axis that a network is measured along: `--batch 1,8,64` and `--resolution 160..320/32`."""

import argparse
import itertools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from system.errors import UserError
from system.names import split_at

if TYPE_CHECKING:
    from devices.targets import Target
    from models.model import Model

_MOST_POINTS = 100  # an axis of more is a slip of the step


def add_axis_options(parser: argparse.ArgumentParser) -> None:
    """The arguments that `at_batches` and `at_resolutions` read."""
    group = parser.add_argument_group("axes: numbers and ranges FIRST..LAST/STEP, with commas between")
    group.add_argument(
        "--batch",
        type=_batches,
        metavar="AXIS",
        help="images in one inference, such as 1,8,64: a sweep of each, one after the other, as TARGET@BATCH",
    )
    group.add_argument(
        "--resolution",
        type=_resolutions_px,
        metavar="AXIS",
        help="pixels, such as 160..320/32: every network at each, as MODEL@PX, all in one sweep",
    )


def _batches(text: str) -> list[int]:
    from devices.targets import BATCHES

    return parse_axis(text, flag="--batch", within=BATCHES)


def _resolutions_px(text: str) -> list[int]:
    from models.model import RESOLUTIONS_PX

    return parse_axis(text, flag="--resolution", within=RESOLUTIONS_PX)


def parse_axis(text: str, *, flag: str, within: range) -> list[int]:
    """The numbers of `1,8,64`, of `160..320/32` (160, 192, … 320) or of both mixed; ascending, each once.

    A range ends at its last number or at the step before it. Raises UserError, which names the `flag`, where something
    can't be read or a number is not `within`.
    """
    parts = [_read(part.strip(), text, flag) for part in text.split(",")]
    outside = [number for part in parts for number in (part[0], part[-1]) if number not in within]
    if outside:
        fix = f"expected {within[0]} to {within[-1]}"
        raise UserError(f"{flag} is out of range", found=f"{outside[0]} in {text!r}", fix=fix)
    if (count := sum(map(len, parts))) > _MOST_POINTS:
        raise UserError(f"{flag} is too long", found=f"{count} points in {text!r}", fix="give a larger step")
    return sorted(set(itertools.chain(*parts)))


def _read(part: str, text: str, flag: str) -> range:
    match = re.fullmatch(r"(?P<first>[0-9]{1,9})(\.\.(?P<last>[0-9]{1,9})/(?P<step>[0-9]{1,9}))?", part)
    if match is None:
        fix = "give numbers and ranges such as 1,8,64 or 160..320/32"
        raise UserError(f"unreadable {flag}", found=f"{part!r} in {text!r}", fix=fix)
    first = int(match["first"])
    if match["last"] is None:
        return range(first, first + 1)
    last, step = int(match["last"]), int(match["step"])
    if not (step and first <= last):
        fix = "give the smaller number first, and a step from 1 on"
        raise UserError(f"{flag} has an empty range", found=f"{part!r} in {text!r}", fix=fix)
    return range(first, last + 1, step)


def at_batches(targets: "Sequence[Target]", batches: Sequence[int] | None) -> "list[Target]":
    """Each target at each batch; the targets themselves without an axis. Raises UserError where one names its batch."""
    _refuse_second("--batch", batches, [target.name for target in targets])
    return [target.at_batch(batch) for target in targets for batch in batches or [target.batch]]


def at_resolutions(models: "Sequence[Model]", resolutions_px: Sequence[int] | None) -> "list[Model]":
    """Each network at each resolution; the networks themselves without an axis.

    Raises UserError where a network names its resolution, or is a file of one resolution.
    """
    _refuse_second("--resolution", resolutions_px, [model.name for model in models])
    return [_at_resolution(model, px) for model in models for px in resolutions_px or [model.resolution_px]]


def _at_resolution(model: "Model", resolution_px: int) -> "Model":
    from models.zoo import find

    if model.file is None:
        return model.at_resolution(resolution_px)
    # A file says whether it takes that.
    return model if resolution_px == model.resolution_px else find(f"{model.source}@{resolution_px}")[0]


def _refuse_second(flag: str, numbers: Sequence[int] | None, names: Sequence[str]) -> None:
    twice = [name for name in names if numbers and split_at(name)[1] is not None]
    if twice:
        raise UserError(f"{flag} is given twice", found=f"{twice[0]} and {flag}", fix="leave one out")
