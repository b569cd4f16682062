"""The Zen-Score: how much a network's last feature map changes with its input, from random weights and inputs alone.

Source: Lin et al., "Zen-NAS: A Zero-Shot NAS for High-Performance Image Recognition", ICCV 2021, Algorithm 1.
docs/networks.md says what of it the paper leaves open, and what is chosen here.
"""

import functools
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from models.csv_files import read_rows, write_rows
from models.model import Model
from models.plain import plain_form
from models.zoo import zoo
from system.errors import UserError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

# Scoring takes minutes, reading this file doesn't. `python -m models score --record` writes it.
_FILE = Path(__file__).with_name("zen_scores.csv")


@dataclass(frozen=True)
class Setting:
    """What a score depends on beside the network: images in a mini-batch, the perturbation's deviation, the seed."""

    batch: int = 16
    alpha: float = 0.01
    seed: int = 0


@dataclass(frozen=True)
class ZenScore:
    """The mean of `repeats` Zen-Scores, each from weights and images of its own.

    `standard_error` is the mean's, None where there is one repeat only; the rest is how it was scored, see Setting.
    """

    mean: float
    standard_error: float | None
    repeats: int
    batch: int
    alpha: float
    seed: int

    def __str__(self) -> str:
        """As tables show it: the mean and its standard error."""
        return f"{self.mean:.1f}" + (f" ± {self.standard_error:.1f}" if self.standard_error is not None else "")


def summary(scores: Sequence[float], setting: Setting) -> ZenScore:
    """Mean and standard error of the scores of one network, at least one."""
    error = statistics.stdev(scores) / math.sqrt(len(scores)) if len(scores) > 1 else None
    return ZenScore(statistics.fmean(scores), error, len(scores), setting.batch, setting.alpha, setting.seed)


def zen_scores(model: Model, setting: Setting) -> Iterator[float]:
    """One Zen-Score of the network after another, without end, the same ones for the same setting.

    Raises UserError where none is defined for the network, or its last map doesn't change with the images.
    """
    import torch

    module = model.architecture()
    model.run_once(module)
    network = plain_form(module)
    random = torch.Generator().manual_seed(setting.seed)
    shape = (setting.batch, 3, model.resolution_px, model.resolution_px)
    while True:
        with torch.inference_mode():
            images = torch.randn(shape, generator=random)
            moved = images + setting.alpha * torch.randn(shape, generator=random)
            score = zen_score(network, images, moved, random)
        if not math.isfinite(score):
            raise UserError(
                f"{model.name} has no Zen-Score",
                found=f"a last map that doesn't change with its {setting.batch} images",
                fix="give a larger --alpha, or a higher resolution behind its @",
            )
        yield score


def zen_score(network: "nn.Sequential", images: "Tensor", moved: "Tensor", random: "torch.Generator") -> float:
    """log of the mean Frobenius norm of f(images) - f(moved), plus the sum of the norms' log deviations.

    `network` is a plain form; only its shapes are read. The kernels of each convolution are drawn from N(0, 1) as they
    are needed and dropped, its biases are zero. A norm divides each mini-batch by its own deviations; those of
    `images` enter the score. Minus infinity where f doesn't change.
    """
    import torch
    from torch import nn

    score = 0.0
    for layer in network:
        if isinstance(layer, nn.Conv2d):
            drawn = {"weight": torch.randn(layer.weight.shape, generator=random)}
            if layer.bias is not None:
                drawn["bias"] = torch.zeros(layer.bias.shape)
            images, moved = (torch.func.functional_call(layer, drawn, (maps,)) for maps in (images, moved))
        elif isinstance(layer, nn.BatchNorm2d):
            score += 0.5 * _log(images.var(dim=(0, 2, 3), correction=0).mean())
            images, moved = (
                nn.functional.batch_norm(maps, None, None, training=True, eps=layer.eps) for maps in (images, moved)
            )
        else:
            images, moved = layer(images), layer(moved)
    return score + _log((images - moved).flatten(1).norm(dim=1).mean())


def _log(value: "Tensor") -> float:
    return math.log(value) if value > 0 else -math.inf


def zen_score_of(model: Model) -> ZenScore | None:
    """The recorded score of a network of the zoo; None for any other, which would have to be scored."""
    return _recorded().get(model.name)


def record(model: Model, score: ZenScore) -> None:
    """Keep the score of a network of the zoo in place of the one recorded before.

    Raises UserError where the file can't be written.
    """
    kept = _recorded() | {model.name: score}
    rows = []
    for name in filter(kept.__contains__, zoo()):
        mean, error, *how = astuple(kept[name])
        rows.append([name, f"{mean:.3f}", "" if error is None else f"{error:.3f}", *how])
    write_rows(_FILE, ["model", *(field.name for field in fields(ZenScore))], rows)
    _recorded.cache_clear()


@functools.cache
def _recorded() -> dict[str, ZenScore]:
    return {row["model"]: _read(row) for row in read_rows(_FILE)} if _FILE.exists() else {}


def _read(row: dict[str, str]) -> ZenScore:
    return ZenScore(
        mean=float(row["mean"]),
        standard_error=float(row["standard_error"]) if row["standard_error"] else None,
        repeats=int(row["repeats"]),
        batch=int(row["batch"]),
        alpha=float(row["alpha"]),
        seed=int(row["seed"]),
    )
