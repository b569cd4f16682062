"""A torch state dict: what PyTorch itself loads, batch norms unfolded, for the runtimes that run the module."""

from pathlib import Path

from exporters.artifact import Fidelity, Job
from exporters.cache import Cache
from exporters.fidelity import check

PRECISIONS = ("fp32",)
SUFFIX = ".pt"
TOOLS = ("torch", "timm")
PRELOAD = ("torch", "timm")
DYNAMIC_BATCH = True
PEAK_BYTES = 3_000_000_000


def export(job: Job, path: Path, cache: Cache) -> Fidelity:
    """Write the state dict to `path`.

    Raises UserError where the reloaded network's logits differ from the source's.
    """
    import torch

    torch.save(job.model.build(job.weights).state_dict(), path)
    with torch.inference_mode():
        return check(job, lambda images: job.model.build(path)(torch.from_numpy(images)).numpy(), limit=0.0)
