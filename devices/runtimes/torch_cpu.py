"""Runtime `torch_cpu`: the network in eager PyTorch on this machine's CPU."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from devices.host.clock import NAME, time_each
from devices.options import ThreadOptions, read_options
from devices.profilers.torch import TorchProfiler
from devices.runtime import Runtime
from devices.samples import Samples
from devices.targets import Target
from exporters.artifact import Artifact
from models.images import synthetic_images
from models.zoo import find


class TorchCpuOptions(ThreadOptions, frozen=True, kw_only=True):
    """How eager PyTorch runs."""

    channels_last: Annotated[bool, Meta(description="lay out memory NHWC")] = False


def absence(target: Target) -> str | None:
    """None: torch is part of every installation."""
    return None


def open_session(artifact: Artifact, target: Target) -> "TorchCpuSession":
    """Build the network with the artifact's weights."""
    return TorchCpuSession(artifact, target)


def open_profiler(artifact: Artifact, target: Target) -> TorchProfiler:
    """The same network with torch's profiler on."""
    session = TorchCpuSession(artifact, target)
    return TorchProfiler(session.module, session.infer, close=session.close)


class TorchCpuSession:
    """The eager module under inference mode."""

    clock = NAME
    aggregates = False

    def __init__(self, artifact: Artifact, target: Target) -> None:
        import torch

        options = read_options(target, TorchCpuOptions)
        torch.set_num_threads(options.thread_count)
        self.ran_on: dict[str, str | int] = {"device": "cpu", "threads": torch.get_num_threads()}
        layout = torch.channels_last if options.channels_last else torch.contiguous_format
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


RUNTIME = Runtime(absence=absence, open_session=open_session, options=TorchCpuOptions, open_profiler=open_profiler)
