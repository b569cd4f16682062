"""The ZenNet structure grammar: `SuperConvK3BNRELU(3,16,2,1)SuperResIDWE1K7(16,40,2,40,1)…` as data."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from system.errors import UserError

Kind = Literal["conv", "res_kk", "res_1k1", "res_idw"]

_NUMBERS = r"\((?P<numbers>[^()]*)\)"
_KINDS: dict[Kind, re.Pattern[str]] = {
    "conv": re.compile(r"SuperConvK(?P<kernel>\d+)BNRELU" + _NUMBERS),
    "res_kk": re.compile(r"SuperResK(?P<kernel>\d+)K(?P=kernel)" + _NUMBERS),
    "res_1k1": re.compile(r"SuperResK1K(?P<kernel>\d+)K1" + _NUMBERS),
    "res_idw": re.compile(r"SuperResIDWE(?P<expansion>\d+)K(?P<kernel>\d+)" + _NUMBERS),
}
_FIELDS: dict[Kind, tuple[str, ...]] = {
    "conv": ("in", "out", "stride", "layers"),
    "res_kk": ("in", "out", "stride", "bottleneck", "layers"),
    "res_1k1": ("in", "out", "stride", "bottleneck", "layers"),
    "res_idw": ("in", "out", "stride", "bottleneck", "layers"),
}
# Far above any published network, so that a mistyped number can't exhaust the memory.
_MOST = {"in": 16384, "out": 16384, "bottleneck": 16384, "stride": 8, "layers": 200, "kernel": 31, "expansion": 16}
_IMAGE_CHANNELS = 3


@dataclass(frozen=True)
class SuperBlock:
    """One super-block: `layers` repetitions of one unit, the first of which strides."""

    kind: Kind
    kernel_px: int
    in_channels: int
    out_channels: int
    stride: int
    layers: int
    bottleneck_channels: int = 0
    expansion: int = 1


def parse_structure(text: str) -> list[SuperBlock]:
    """The super-blocks of a structure string (ZenNAS plain-net notation), in order.

    Raises UserError that quotes the part of `text` that can't be read.
    """
    blocks: list[SuperBlock] = []
    position = 0
    while position < len(text):
        kind, match = _match_kind(text, position)
        blocks.append(_read_block(kind, match))
        position = match.end()
    if not blocks:
        raise UserError("empty structure string", found=repr(text), fix="give at least one super-block")
    _check_chain(blocks)
    return blocks


def _match_kind(text: str, position: int) -> tuple[Kind, re.Match[str]]:
    for kind, pattern in _KINDS.items():
        if match := pattern.match(text, position):
            return kind, match
    rest = text[position : position + 40]
    cut = ")" not in text[position:]
    raise UserError(
        f"unreadable structure string at character {position}",
        found=f"{rest!r}" + (", which is cut off" if cut else ""),
        fix="expected SuperConvK#BNRELU(…), SuperResK#K#(…), SuperResK1K#K1(…) or SuperResIDWE#K#(…)",
    )


def _read_block(kind: Kind, match: re.Match[str]) -> SuperBlock:
    fields = _FIELDS[kind]
    words = [word.strip() for word in match["numbers"].split(",")]
    expected = f"({', '.join(fields)}), whole numbers"
    if len(words) != len(fields) or not all(re.fullmatch(r"[0-9]{1,9}", word) for word in words):
        raise UserError("wrong arguments of a super-block", found=match[0][:80], fix=f"expected {expected}")
    number = dict(zip(fields, map(int, words), strict=True))
    named = match.groupdict()
    number["kernel"] = int(named["kernel"][:9])
    number["expansion"] = int((named.get("expansion") or "1")[:9])
    for field, value in number.items():
        if not 1 <= value <= _MOST[field]:
            raise UserError(
                f"{field} out of range in {match[0][:80]}",
                found=str(value),
                fix=f"expected 1 to {_MOST[field]}",
            )
    if number["kernel"] % 2 == 0:
        raise UserError("even kernel in a super-block", found=match[0][:80], fix="kernels are odd, so that padding is")
    return SuperBlock(
        kind=kind,
        kernel_px=number["kernel"],
        in_channels=number["in"],
        out_channels=number["out"],
        stride=number["stride"],
        layers=number["layers"],
        bottleneck_channels=number.get("bottleneck", 0),
        expansion=number["expansion"],
    )


def _check_chain(blocks: list[SuperBlock]) -> None:
    if blocks[0].in_channels != _IMAGE_CHANNELS:
        raise UserError(
            "the first super-block must take an image",
            found=f"{blocks[0].in_channels} input channels",
            fix=f"expected {_IMAGE_CHANNELS}",
        )
    for number, (before, after) in enumerate(pairwise(blocks), start=2):
        if before.out_channels != after.in_channels:
            raise UserError(
                f"super-block {number} does not fit the one before",
                found=f"{after.in_channels} input channels after {before.out_channels} output channels",
                fix="make them equal",
            )
