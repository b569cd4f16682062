"""How points and lines are drawn, the same in a panel and in the legend: matplotlib's properties by name."""

from typing import Any

GREY = "#6b6b6b"
TEXT = "#404040"

Properties = dict[str, Any]  # matplotlib's keyword arguments, of any type

# Up to as many networks a panel's markers and lines have their full size; of more they shrink, down to a share of it.
_FEW, _SMALLEST = 24, 0.62
_SIZES = frozenset({"markersize", "markeredgewidth", "linewidth", "elinewidth", "capsize"})


def crowded(networks: int) -> bool:
    """Whether a panel has more networks than can all have a label and a marker of full size."""
    return networks > _FEW


def scaled(properties: Properties, networks: int) -> Properties:
    """The properties in the size that suits a panel of that many networks."""
    scale = max(_SMALLEST, min(1.0, (_FEW / max(networks, 1)) ** 0.5))
    return {name: value * scale if name in _SIZES else value for name, value in properties.items()}


MARKER: Properties = {"markersize": 6.5, "markeredgewidth": 1.3}
MARKER_ALONE: Properties = MARKER | {"linestyle": "none"}
MEASURED: Properties = {"linewidth": 1.8, "linestyle": "-"}
PUBLISHED: Properties = {"linewidth": 1.1, "linestyle": (0, (4, 2))}
# The marker of a network of no known accuracy, in the strip below the panel.
UNRATED: Properties = MARKER_ALONE | {"zorder": 3, "alpha": 0.85}
# The marker of a number whose accuracy is measured too, and the bars of both intervals.
EVALUATED: Properties = {"markeredgecolor": "#111111", "markeredgewidth": 1.7}
INTERVAL: Properties = {"fmt": "none", "ecolor": "#222222", "elinewidth": 1.1, "capsize": 2.5, "zorder": 2.5}
# Drawn over the marker of a number that is not usable.
CROSS: Properties = {"marker": "x", "markersize": 4.5, "markeredgewidth": 1.3, "color": "white", "linestyle": "none"}
FRONT: Properties = {"color": "#9a9a9a", "linewidth": 0.9, "linestyle": (0, (1, 1.5))}
