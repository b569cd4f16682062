"""The torch network that files are exported from and compared with, built once a process."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from exporters.artifact import Job
from models.model import Model
from system.digest import sha256_of
from system.errors import UserError

if TYPE_CHECKING:
    from torch import nn


def torch_network(job: Job) -> "nn.Module":
    """The network of `job` with its weights, as `Model.build` gives it: FP32, in eval mode, on the CPU.

    The next call for the same network returns the same module, so no caller may change it. Only the last one is kept.
    Raises UserError where the checkpoint can't be read or belongs to another network.
    """
    return _build(job.model, job.weights, None if job.weights is None else checkpoint_sha256(job.weights))


def checkpoint_sha256(path: Path) -> str:
    """The hexadecimal SHA-256 of a checkpoint. Raises UserError where it can't be read."""
    try:
        return sha256_of(path)
    except OSError as error:
        raise UserError(
            f"can't read checkpoint {path}", found=error.strerror or str(error), fix="give an existing file"
        ) from error


@functools.lru_cache(maxsize=1)
def _build(model: Model, weights: Path | None, sha256: str | None) -> "nn.Module":
    return model.build(weights)
