"""`Job` (what file is wanted) and `Artifact` (the file that was made, and how)."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from models.model import Model


class Fidelity(msgspec.Struct, frozen=True, kw_only=True):
    """How far an artifact's logits lie from those of the torch network in FP32 on the same images.

    `relative_error` is the largest difference over the largest logit, `cosine` the smallest cosine between two
    images' logits, `top1_agreement` a share from 0 to 1. The limits are what the artifact had to keep.
    """

    images: int
    relative_error: float
    relative_error_limit: float | None
    top1_agreement: float
    cosine: float
    cosine_limit: float | None = None


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What an export has to say of its file: how faithful it is, and what it is made of other than what was asked."""

    fidelity: Fidelity | None
    remark: str | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One file to make: `batch` None keeps the batch dynamic, `weights` None seeds them.

    `calibration` is a folder of images for integer formats; None takes seeded synthetic ones. `compute_capabilities`
    are the GPUs' that a plan is built for without one, such as "8.6"; empty takes the format's own.
    """

    model: Model
    format: str
    precision: str
    batch: int | None = None
    weights: Path | None = None
    calibration: Path | None = None
    compute_capabilities: tuple[str, ...] = ()


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """One file of one model in one format; `input_shape` is (N, 3, H, W) with None for a dynamic batch."""

    model: str
    format: str
    precision: str
    batch: int | None
    path: str
    input_shape: tuple[int | None, ...]
    sha256: str
    size_bytes: int
    weights: str
    calibration: str | None = None  # what an integer format was calibrated on
    made_by: dict[str, str]
    fidelity: Fidelity | None
    remark: str | None = None  # what the file is made of other than what was asked


def versions(distributions: tuple[str, ...]) -> dict[str, str]:
    """The installed version of each distribution or of its build for GPUs, "absent" where there is none."""
    return {name: _version(name) or _version(f"{name}-gpu") or "absent" for name in distributions}


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
