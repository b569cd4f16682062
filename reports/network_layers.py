"""The layers of a report's networks: the zoo's from models/layers.csv, a few others listed with torch."""

from dataclasses import dataclass, field

from bench.records.record import Network
from models.layers import Layer, known_layers, list_layers
from models.model import RESOLUTIONS_PX, Model
from system.errors import UserError, one_line

# Each takes up to a second; a report of hundreds of networks must not take minutes.
MOST_LISTED = 12


@dataclass(frozen=True)
class Uncounted:
    """Why a network's layers are not known, as a report prints it."""

    reason: str


@dataclass
class NetworkLayers:
    """The layers of each network, each network listed once."""

    _listed: dict[tuple[str, int], list[Layer] | Uncounted] = field(default_factory=dict)

    def of(self, network: Network) -> list[Layer] | Uncounted:
        """The layers, or why there are none."""
        if layers := known_layers(network.name):
            return layers
        key = (network.source, network.resolution_px)
        if key not in self._listed:
            self._listed[key] = _listed(network) if len(self._listed) < MOST_LISTED else _TOO_MANY
        return self._listed[key]


_TOO_MANY = Uncounted(f"no floor: only the first {MOST_LISTED} networks outside the zoo are counted")


def _listed(network: Network) -> list[Layer] | Uncounted:
    kind, _, spec = network.source.partition(":")
    if kind not in ("zennet", "zennet-se", "timm") or not spec or network.resolution_px not in RESOLUTIONS_PX:
        return Uncounted(f"no floor: its source, {one_line(network.source, 60)}, is none that can be counted")
    model = Model(network.name, network.family, network.resolution_px, network.source)
    try:
        return list_layers(model) or Uncounted("no floor: it has no convolution and no matrix product")
    except ImportError as error:
        return Uncounted(f"no floor: counting it needs {one_line(error.name, 40)}")
    except (UserError, RuntimeError, ValueError, TypeError, AssertionError) as error:
        return Uncounted(f"no floor: it can't be counted, {one_line(error, 120)}")
