"""Runtime `torch_cpu`: the network in eager PyTorch on this machine's CPU."""

from collections.abc import Collection
from pathlib import Path

from devices.host.clock import NAME, time_each
from devices.profilers.torch import TorchProfiler
from devices.samples import Samples
from devices.targets import Target, threads_of
from exporters.artifact import Artifact
from models.images import synthetic_images
from models.zoo import find

IN_PROCESS = False


def absence(target: Target) -> str | None:
    """None: torch is part of every installation."""
    threads_of(target)
    return None


def options(target: Target) -> Collection[str]:
    """What it understands."""
    return "threads", "channels_last"


def open_session(artifact: Artifact, target: Target) -> "TorchCpuSession":
    """Build the network with the artifact's weights."""
    return TorchCpuSession(artifact, target)


def open_profiler(artifact: Artifact, target: Target) -> TorchProfiler:
    """The same network with torch's profiler on."""
    session = TorchCpuSession(artifact, target)
    return TorchProfiler(session.module, session.infer, close=session.close)


class TorchCpuSession:
    """The eager module under inference mode; option `channels_last` lays out memory NHWC."""

    clock = NAME
    aggregates = False

    def __init__(self, artifact: Artifact, target: Target) -> None:
        import torch

        torch.set_num_threads(threads_of(target))
        self.ran_on: dict[str, str | int] = {"device": "cpu", "threads": torch.get_num_threads()}
        layout = torch.channels_last if target.options.get("channels_last") else torch.contiguous_format
        (model,) = find(artifact.model)
        self.module = model.build(Path(artifact.path)).to(memory_format=layout)
        images = torch.from_numpy(synthetic_images(target.batch, model.resolution_px))
        self._images = images.to(memory_format=layout)

    def run(self, count: int) -> Samples:
        """The seconds of `count` inferences of one batch."""
        import torch

        with torch.inference_mode():
            return time_each(lambda: self.module(self._images), count)

    def infer(self) -> object:
        """One inference of one batch."""
        import torch

        with torch.inference_mode():
            return self.module(self._images)

    def close(self) -> None:
        """Free the module's memory."""
        del self.module
