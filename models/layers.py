"""The convolutions and matrix products of a network, one by one: what each computes and what it must read and write."""

import csv
import functools
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.model import Model
from models.zoo import zoo

if TYPE_CHECKING:
    from torch import Tensor, nn

# As with counts.csv: listing the layers needs torch, reading this file doesn't. `python -m models --recount` writes it
# and a test lists them again and compares.
_FILE = Path(__file__).with_name("layers.csv")


@dataclass(frozen=True)
class Layer:
    """One convolution or matrix product on one image; `weights`, `inputs` and `outputs` are numbers of elements."""

    name: str
    macs: int
    weights: int
    inputs: int
    outputs: int


def known_layers(model: str) -> list[Layer] | None:
    """The layers of a network of the zoo; None for any other, whose layers would have to be listed with torch."""
    return _listed().get(model)


def list_layers(model: Model) -> list[Layer]:
    """The layers in the order in which they run, from shapes on the meta device: nothing is computed."""
    from torch import nn

    layers: list[Layer] = []
    module = model.architecture()
    for name, child in module.named_modules():
        if isinstance(child, nn.Conv2d | nn.Linear):
            child.register_forward_hook(functools.partial(_note, layers, name))
    model.run_once(module)
    return layers


def _note(layers: list[Layer], name: str, module: "nn.Module", inputs: "tuple[Tensor, ...]", output: "Tensor") -> None:
    weight: Any = module.weight
    layers.append(
        Layer(
            name=name,
            # Each output element takes one multiply-accumulate per element of its filter.
            macs=output.numel() * weight[0].numel(),
            weights=sum(parameter.numel() for parameter in module.parameters(recurse=False)),
            inputs=inputs[0].numel(),
            outputs=output.numel(),
        )
    )


def relist() -> None:
    """List the layers of the whole zoo again and write the file."""
    listed = {model.name: list_layers(model) for model in zoo().values()}
    with _FILE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["model", *(field.name for field in fields(Layer))])
        for name, layers in listed.items():
            writer.writerows([name, *astuple(layer)] for layer in layers)


@functools.cache
def _listed() -> dict[str, list[Layer]]:
    layers: dict[str, list[Layer]] = {}
    if _FILE.exists():
        with _FILE.open(newline="", encoding="utf-8") as file:
            for model, name, *numbers in list(csv.reader(file))[1:]:
                layers.setdefault(model, []).append(Layer(name, *map(int, numbers)))
    return layers
