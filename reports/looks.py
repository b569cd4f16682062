"""The colour and the marker of each family, in every chart, and the short names of networks."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.records.network_run import network_of
from bench.records.record import Network
from models.zoo import zoo
from system.errors import one_line


@dataclass(frozen=True)
class Look:
    """A colour (#rrggbb) and a marker, by matplotlib's letter and by plotly's name."""

    colour: str
    marker: str
    symbol: str


# The palette of Okabe and Ito (2008), distinct under the common kinds of colour blindness, without its yellow, which
# white paper hides. The first two differ in lightness too, for print in grey.
PALETTE = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#595959")
_MARKERS = (("o", "circle"), ("s", "square"), ("^", "triangle-up"), ("D", "diamond"), ("v", "triangle-down"))


def looks(networks: Sequence[Network]) -> dict[str, Look]:
    """The look of each family, in order of appearance; 7 colours and 5 markers give 35 different pairs."""
    families = dict.fromkeys(network.family for network in networks)
    return {
        family: Look(PALETTE[number % len(PALETTE)], *_MARKERS[number % len(_MARKERS)])
        for number, family in enumerate(families)
    }


def short_names(networks: Sequence[Network]) -> dict[str, str]:
    """A label for each network: its name without the prefix and suffix that its whole family shares."""
    families: dict[str, set[str]] = {}
    for network in [*map(network_of, zoo().values()), *networks]:
        families.setdefault(network.family, set()).add(network.name)
    return {network.name: _shorten(network.name, families[network.family]) for network in networks}


def series_of(short_name: str) -> str:
    """The part of a short name before its first digit; networks of a family that share it are joined by a line."""
    return re.split(r"\d", short_name, maxsplit=1)[0]


def _shorten(name: str, family: set[str], most: int = 22) -> str:
    if len(family) > 1:
        head = _to_separator(_common_head(family))
        tail = _to_separator(_common_head(other[::-1] for other in family))
        name = name[len(head) : len(name) - len(tail)] or name
    return one_line(name, most)


def _common_head(names: Iterable[str]) -> str:
    """The longest prefix that the names share; `os.path.commonprefix`, which does the same, is deprecated."""
    ordered = sorted(names)
    first, last = ordered[0], ordered[-1]
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:same]


def _to_separator(text: str) -> str:
    """`text` up to and including its last separator, so that no word is cut."""
    return text[: max(text.rfind(separator) for separator in "_-/:") + 1]
