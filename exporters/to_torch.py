"""A torch state dict: what PyTorch itself loads, batch norms unfolded, for the runtimes that run the module."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from exporters.artifact import Artifact, Fidelity, Job
from exporters.fidelity import FP16_LIMIT, check_against_source
from exporters.format import Format
from exporters.half import refuse_large
from exporters.in_batches import in_batches
from exporters.network import torch_network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LIMITS = {"fp32": 0.0, "fp16": FP16_LIMIT}


def export(job: Job, source: Artifact | None, path: Path) -> Fidelity:
    """Write the state dict to `path`, its weights rounded to FP16 where that is the precision.

    Raises UserError where the reloaded network's logits differ from the network's, by more than 2e-2 in FP16, or where
    a value is larger than FP16's largest number.
    """
    import torch

    state = torch_network(job).state_dict()
    if job.precision == "fp16":
        refuse_large((key, value.numpy()) for key, value in state.items() if value.is_floating_point())
        state = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
    torch.save(state, path)
    return check_against_source(job, functools.partial(_logits, job, path), limit=_LIMITS[job.precision])


def _logits(job: Job, path: Path, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """The logits of the file's weights, computed in FP32."""
    import torch

    module = job.model.build(path)

    def run(shown: "NDArray[np.float32]") -> "NDArray[np.float32]":
        with torch.inference_mode():
            logits: NDArray[np.float32] = module(torch.from_numpy(shown)).numpy()
        return logits

    return in_batches(run, images, job.model.batch)


FORMAT = Format(
    precisions=("fp32", "fp16"),
    suffix=".pt",
    export=export,
    tools=("torch", "timm"),
    preload=("torch", "timm"),
)
