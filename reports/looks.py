"""How a family looks wherever it is drawn: a colour that the colour-blind tell apart, a marker for print in grey."""

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


# The colours of Okabe and Ito (2008), told apart by every common kind of colour blindness; yellow is left out, it
# can't be seen on white. The first two differ in lightness too, for print in grey.
_COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#595959")
_MARKERS = (("o", "circle"), ("s", "square"), ("^", "triangle-up"), ("D", "diamond"), ("v", "triangle-down"))


def looks(networks: Sequence[Network]) -> dict[str, Look]:
    """The look of each family, in the order in which they appear; colours and markers repeat out of step."""
    families = dict.fromkeys(network.family for network in networks)
    return {
        family: Look(_COLOURS[number % len(_COLOURS)], *_MARKERS[number % len(_MARKERS)])
        for number, family in enumerate(families)
    }


def short_names(networks: Sequence[Network]) -> dict[str, str]:
    """A label for each network: its name without what all of its family begin and end with."""
    families: dict[str, set[str]] = {}
    for network in [*map(network_of, zoo().values()), *networks]:
        families.setdefault(network.family, set()).add(network.name)
    return {network.name: _shorten(network.name, families[network.family]) for network in networks}


def series_of(short_name: str) -> str:
    """Networks of a family whose names begin alike, before the first digit, are one design at several sizes."""
    return re.split(r"\d", short_name, maxsplit=1)[0]


def _shorten(name: str, family: set[str], most: int = 22) -> str:
    if len(family) > 1:
        head = _to_separator(_common_head(family))
        tail = _to_separator(_common_head(other[::-1] for other in family))
        name = name[len(head) : len(name) - len(tail)] or name
    return one_line(name, most)


def _common_head(names: Iterable[str]) -> str:
    ordered = sorted(names)
    first, last = ordered[0], ordered[-1]
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:same]


def _to_separator(text: str) -> str:
    """`text` up to and with its last separator, so that no word is cut in two."""
    return text[: max(text.rfind(separator) for separator in "_-/:") + 1]
