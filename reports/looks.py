"""The colour and the marker of each family, in every chart, and the short names of networks."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.records.network_run import network_of
from bench.records.record import Network
from models.published import published
from models.zoo import zoo
from system.errors import one_line
from system.names import split_at

_SEPARATORS = "_-/:"


@dataclass(frozen=True)
class Look:
    """A colour (#rrggbb) and a marker, by matplotlib's letter and by plotly's name."""

    colour: str
    marker: str
    symbol: str


# The palette of Okabe and Ito (2008), distinct under the common kinds of colour blindness, without its yellow, which
# white paper hides. The first two differ in lightness too, for print in grey.
PALETTE = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#595959")
_MARKERS = (
    ("o", "circle"),
    ("s", "square"),
    ("^", "triangle-up"),
    ("D", "diamond"),
    ("v", "triangle-down"),
    ("P", "cross"),
    ("<", "triangle-left"),
    (">", "triangle-right"),
    ("h", "hexagon"),
)


def looks(networks: Sequence[Network]) -> dict[str, Look]:
    """The look of each family: the zoo's in its order, so that a family looks alike in every chart, then others'.

    7 colours and 9 markers give 63 different pairs.
    """
    families = dict.fromkeys((*_zoo_families(), *(network.family for network in networks)))
    return {
        family: Look(PALETTE[number % len(PALETTE)], *_MARKERS[number % len(_MARKERS)])
        for number, family in enumerate(families)
    }


def _zoo_families() -> list[str]:
    """The published families first."""
    families = dict.fromkeys(zoo()[name].family for name in published())
    return list(families | dict.fromkeys(model.family for model in zoo().values()))


def short_names(networks: Sequence[Network]) -> dict[str, str]:
    """A label for each network: its name without the prefix and suffix that its whole family shares.

    A resolution that is not the network's own stays.
    """
    families: dict[str, set[str]] = {}
    for network in [*map(network_of, zoo().values()), *networks]:
        families.setdefault(network.family, set()).add(split_at(network.name)[0])
    shared = {family: (_head(family, names), _tail(names)) for family, names in families.items()}
    return {network.name: _shorten(network.name, *shared[network.family]) for network in networks}


def series_of(short_name: str) -> str:
    """The part of a short name before its last number, or where it has none up to its last separator.

    Networks of a family that share it are of one series and are joined by a line: Y-400MF and Y-1.6GF, not X-400MF.
    """
    name, _ = split_at(short_name)
    numbered = re.fullmatch(r"(.*?)[\d.]*\d\D*", name, re.DOTALL)
    return numbered[1] if numbered else _to_separator(name)


def _shorten(name: str, head: int, tail: int, most: int = 22) -> str:
    own, px = split_at(name)
    short = own[head : len(own) - tail] or own
    return one_line(short if px is None else f"{short}@{px}", most)


def _head(family: str, names: set[str]) -> int:
    """How many letters all names begin with, or those of the family's name; 0 where a number would be left alone."""
    if len(names) < 2:
        return 0
    head = len(_to_separator(_common_head(names)))
    if all(name.startswith(family) for name in names):
        head = max(head, len(family))
    head += all(name[head : head + 1] in tuple(_SEPARATORS) for name in names)
    return 0 if any(name[head : head + 1].isdigit() for name in names) else head


def _tail(names: set[str]) -> int:
    return len(_to_separator(_common_head(name[::-1] for name in names))) if len(names) > 1 else 0


def _common_head(names: Iterable[str]) -> str:
    """The longest prefix that the names share; `os.path.commonprefix`, which does the same, is deprecated."""
    ordered = sorted(names)
    first, last = ordered[0], ordered[-1]
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:same]


def _to_separator(text: str) -> str:
    """`text` up to and including its last separator, so that no word is cut."""
    return text[: max(text.rfind(separator) for separator in _SEPARATORS) + 1]
