"""The networks of timm that the ZenNets are compared with, from baselines.csv: facts of other publications."""

import functools
from dataclasses import dataclass
from pathlib import Path

from models.csv_files import read_rows
from models.model import Model

_TABLE = Path(__file__).with_name("baselines.csv")


@dataclass(frozen=True)
class Baseline:
    """A network and the groups (`figure`, `today`, `mobile`) that it belongs to."""

    model: Model
    groups: frozenset[str]


@functools.cache
def baselines() -> tuple[Baseline, ...]:
    """Every baseline, family by family, as in the published figure, then today's.

    A source names the weights behind its dot; the accuracy, in percent, is of these weights at this resolution.
    `top1_source` in the table says who evaluated them: docs/networks.md.
    """
    return tuple(map(_read, read_rows(_TABLE)))


def _read(row: dict[str, str]) -> Baseline:
    stated = float(row["top1_percent"]) if row["top1_percent"] else None  # empty where published.csv has it
    model = Model(row["model"], row["family"], int(row["resolution_px"]), row["source"], stated)
    return Baseline(model, frozenset(row["groups"].split()))
