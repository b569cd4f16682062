"""The convolutions and matrix products of a network, one by one: what each computes and what it must read and write."""

import functools
from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.csv_files import read_rows, write_rows
from models.model import Model
from models.zoo import zoo

if TYPE_CHECKING:
    from torch import Tensor, nn

# As with counts.csv: listing the layers needs torch, reading this file doesn't. `python -m models --recount` writes it
# and a test lists them again and compares. Layers of one network that are alike are one row.
_FILE = Path(__file__).with_name("layers.csv")


@dataclass(frozen=True)
class Layer:
    """One convolution or matrix product on one image; `weights`, `inputs` and `outputs` are numbers of elements."""

    macs: int
    weights: int
    inputs: int
    outputs: int


_NUMBERS = [field.name for field in fields(Layer)]


def known_layers(model: str) -> list[Layer] | None:
    """The layers of a network of the zoo, equal ones together, the first and the last at their places.

    None for any other network, whose layers would have to be listed with torch.
    """
    return _listed().get(model)


def list_layers(model: Model) -> list[Layer]:
    """The layers in the order in which they run, from shapes on the meta device: nothing is computed."""
    from torch import nn

    layers: list[Layer] = []
    module = model.used_architecture()
    for child in module.modules():
        if isinstance(child, nn.Conv2d | nn.Linear):
            child.register_forward_hook(functools.partial(_note, layers))
    model.run_once(module)
    return layers


def _note(layers: list[Layer], module: "nn.Module", inputs: "tuple[Tensor, ...]", output: "Tensor") -> None:
    weight: Any = module.weight
    layers.append(
        Layer(
            # Each output element takes one multiply-accumulate per element of its filter.
            macs=output.numel() * weight[0].numel(),
            weights=sum(parameter.numel() for parameter in module.parameters(recurse=False)),
            inputs=inputs[0].numel(),
            outputs=output.numel(),
        )
    )


def relist(models: Iterable[Model]) -> None:
    """List the layers of networks of the zoo again and write the file; the other networks' stay.

    Raises UserError where the file can't be written.
    """
    found = _listed() | {model.name: list_layers(model) for model in models}
    rows = [[name, times, *astuple(layer)] for name in zoo() for layer, times in Counter(found.get(name, ())).items()]
    write_rows(_FILE, ["model", "times", *_NUMBERS], rows)
    _listed.cache_clear()


@functools.cache
def _listed() -> dict[str, list[Layer]]:
    layers: dict[str, list[Layer]] = {}
    for row in read_rows(_FILE) if _FILE.exists() else ():
        layer = Layer(*(int(row[name]) for name in _NUMBERS))
        layers.setdefault(row["model"], []).extend([layer] * int(row["times"]))
    return layers
