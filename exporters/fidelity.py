"""The check of an artifact against its source: a file that computes something else is not kept, nor timed.

The source is the torch network, or the file that the network came as.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from exporters import onnx_run, tflite_run
from exporters.artifact import Fidelity, Job
from exporters.in_batches import in_batches
from exporters.network import torch_network
from models.images import synthetic_images
from system.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Of the relative error: rounding in FP32 needs less in every kind of network (docs/breadth.md); FP16 rounds each value
# by up to 5e-4, which adds up over the layers.
FP32_LIMIT, FP16_LIMIT = 1e-4, 2e-2
_IMAGES = 2  # more than one, so that images that change places in a batch show
# Of a trained network's INT8 logits. Other weights may be untrained, as seeded ones are: with them the cosine may come
# near 0, and does in the EfficientNets.
_COSINE_LIMIT = 0.9


def check_against_source(
    job: Job, run: "Callable[[NDArray[np.float32]], NDArray[np.float32]]", *, limit: float, batch: int = _IMAGES
) -> Fidelity:
    """Compare the logits of `run`, a function of images (N, 3, H, W), with those of the source of `job`.

    Both get the same `batch` seeded images. Raises UserError where `check_fidelity` does.
    """
    images = synthetic_images(batch, job.model.resolution_px, seed=1)
    return check_fidelity(source_logits(job, images), run(images), limit=limit)


def source_logits(job: Job, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """The logits (N, classes) of the network of `job` for images (N, 3, H, W), on the CPU.

    They are those of torch in FP32, or of the file that the network came as.
    """
    file = job.model.file
    if job.model.has_module or file is None:
        return in_batches(functools.partial(_torch_logits, job), images, job.model.batch)
    run = onnx_run.run_file if job.model.kind == "onnx" else tflite_run.run_file
    return run(Path(file.path))(images)


def _torch_logits(job: Job, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
    import torch

    with torch.inference_mode():
        logits: NDArray[np.float32] = torch_network(job)(torch.from_numpy(images)).numpy()
    return logits


def check_fidelity(reference: "NDArray[np.float32]", logits: "NDArray[np.float32]", *, limit: float) -> Fidelity:
    """Compare logits (N, classes) with the reference's.

    Another top-1 class is allowed where the reference's logits of the two lie no farther apart than a logit may be
    off. Raises UserError where shapes differ, a logit is not finite, the error exceeds `limit`, or where a top-1 class
    differs by more.
    """
    fidelity = msgspec.structs.replace(measure_fidelity(reference, logits), relative_error_limit=limit)
    margin = _largest_margin_lost(reference, logits)
    if not fidelity.relative_error <= limit or not margin <= limit:
        agreement = f"top-1 agreement {fidelity.top1_agreement:g}"
        raise unfaithful(
            f"relative error {fidelity.relative_error:.2g}, {agreement}, relative margin lost {margin:.2g}"
        )
    return fidelity


def _largest_margin_lost(reference: "NDArray[np.float32]", logits: "NDArray[np.float32]") -> float:
    """How far the reference puts its top-1 class above the one that the logits choose, over its largest logit."""
    import numpy as np

    chosen = np.take_along_axis(reference, logits.argmax(axis=1)[:, None], axis=1)[:, 0]
    return float((reference.max(axis=1) - chosen).max() / np.abs(reference).max())


def measure_fidelity(reference: "NDArray[np.float32]", logits: "NDArray[np.float32]") -> Fidelity:
    """How far logits (N, classes) lie from the reference's, without a limit on either.

    Raises UserError where shapes differ or a logit is not finite.
    """
    import numpy as np

    if logits.shape != reference.shape or not np.isfinite(logits).all():
        found = f"shape {logits.shape}, not {reference.shape}" if logits.shape != reference.shape else "NaN or infinity"
        raise unfaithful(found)
    norms = np.linalg.norm(logits, axis=1) * np.linalg.norm(reference, axis=1)
    return Fidelity(
        images=len(reference),
        relative_error=float(np.abs(logits - reference).max() / np.abs(reference).max()),
        relative_error_limit=None,
        top1_agreement=float((logits.argmax(axis=1) == reference.argmax(axis=1)).mean()),
        cosine=float(((logits * reference).sum(axis=1) / norms).min()),
    )


def check_int8_fidelity(job: Job, reference: "NDArray[np.float32]", logits: "NDArray[np.float32]") -> Fidelity:
    """Compare INT8 logits (N, classes) with FP32 ones.

    Raises UserError where shapes differ, a logit is not finite, or a cosine is below 0.9 with a checkpoint's weights or
    not positive with others.
    """
    limit = _COSINE_LIMIT if job.weights else 0.0
    fidelity = msgspec.structs.replace(measure_fidelity(reference, logits), cosine_limit=limit)
    if not fidelity.cosine > limit:
        raise unfaithful(f"cosine {fidelity.cosine:.3f}, top-1 agreement {fidelity.top1_agreement:.0%}")
    return fidelity


class Unfaithful(UserError):  # noqa: N818 - it is what the artifact is
    """An artifact that computes something else than its source."""


def unfaithful(found: str) -> Unfaithful:
    """The error of an artifact that computes something else."""
    return Unfaithful("wrong outputs: the exported network disagrees with its source", found=found, fix="not timed")
