"""A torch state dict: what PyTorch itself loads, batch norms unfolded, for the runtimes that run the module."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from exporters.artifact import Fidelity, Job
from exporters.cache import Cache
from exporters.fidelity import check_against_source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PRECISIONS = ("fp32", "fp16")
SUFFIX = ".pt"
TOOLS = ("torch", "timm")
PRELOAD = ("torch", "timm")
DYNAMIC_BATCH = True
PEAK_BYTES = 3_000_000_000

_LIMITS = {"fp32": 0.0, "fp16": 2e-2}


def export(job: Job, path: Path, cache: Cache) -> Fidelity:
    """Write the state dict to `path`, its weights rounded to FP16 where that is the precision.

    Raises UserError where the reloaded network's logits differ from the source's, by more than 2e-2 in FP16.
    """
    import torch

    state = job.model.build(job.weights).state_dict()
    if job.precision == "fp16":
        state = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
    torch.save(state, path)
    with torch.inference_mode():
        logits = functools.partial(_logits, job, path)
        return check_against_source(job, logits, limit=_LIMITS[job.precision])


def _logits(job: Job, path: Path, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """What the file gives when it is computed in FP32."""
    import torch

    logits: NDArray[np.float32] = job.model.build(path)(torch.from_numpy(images)).numpy()
    return logits
