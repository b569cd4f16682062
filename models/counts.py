"""Parameters and multiply-accumulates of a network, by torch's own counter."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from models.csv_files import read_rows, write_rows
from models.model import Model
from models.zoo import zoo

# Counting takes torch and seconds, reading this file neither. `python -m models --recount` writes it; a test counts
# again and compares.
_FILE = Path(__file__).with_name("counts.csv")


@dataclass(frozen=True)
class Counts:
    """Parameters (BN's running statistics not counted) and multiply-accumulates of one image."""

    params: int
    macs: int


def counts(model: Model) -> Counts | None:
    """The counts of a network, counted once for those of the zoo; None for a file that no torch module is made of.

    Raises UserError where the source of another one can't be read.
    """
    return known_counts(model) or (count(model) if model.has_module else None)


def known_counts(model: Model) -> Counts | None:
    """The counts of a network of the zoo; None for any other, which would have to be counted."""
    return _counted().get(model.name)


def count(model: Model) -> Counts:
    """Count on the meta device: shapes only, nothing is computed.

    Convolutions and matrix products count, one multiply-accumulate each; norms, activations, poolings and sums do
    not, as in the published "FLOPs", which are multiply-accumulates too. Raises UserError where the network takes no
    images of its resolution.
    """
    from torch.utils.flop_counter import FlopCounterMode

    module = model.used_architecture()
    with FlopCounterMode(display=False) as counter:
        model.run_once(module)
    return Counts(sum(parameter.numel() for parameter in module.parameters()), counter.get_total_flops() // 2)


def recount(models: Iterable[Model]) -> None:
    """Count networks of the zoo again and write the file; the other networks' counts stay.

    Raises UserError where a network can't be counted or the file can't be written.
    """
    found = _counted() | {model.name: count(model) for model in models}
    rows = [[name, found[name].params, found[name].macs] for name in zoo() if name in found]
    write_rows(_FILE, ["model", "params", "macs"], rows)
    _counted.cache_clear()


@functools.cache
def _counted() -> dict[str, Counts]:
    rows = read_rows(_FILE) if _FILE.exists() else []
    return {row["model"]: Counts(int(row["params"]), int(row["macs"])) for row in rows}
