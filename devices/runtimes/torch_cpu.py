"""Runtime `torch_cpu`: the network in eager PyTorch on this machine's CPU."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from devices.host.clock import NAME, time_each
from devices.options import ThreadOptions, read_options
from devices.predictor import LoadedPredictor
from devices.profilers.torch import TorchProfiler
from devices.runtime import Runtime
from devices.samples import Samples
from devices.targets import Target
from exporters.artifact import Artifact
from models.images import synthetic_images
from models.zoo import find_one

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray


class TorchCpuOptions(ThreadOptions, frozen=True, kw_only=True):
    """How eager PyTorch runs."""

    channels_last: Annotated[bool, Meta(description="lay out memory NHWC")] = False


def absence(target: Target) -> str | None:
    """None: torch is part of every installation."""
    return None


def open_session(artifact: Artifact, target: Target) -> "TorchCpuSession":
    """Build the network with the artifact's weights."""
    return TorchCpuSession(artifact, target)


def open_predictor(artifact: Artifact, target: Target) -> LoadedPredictor:
    """Build the network as its sessions do, to be asked for logits."""
    return LoadedPredictor(TorchCpuNetwork(artifact, target), artifact, target)


def open_profiler(artifact: Artifact, target: Target) -> TorchProfiler:
    """The same network with torch's profiler on."""
    session = TorchCpuSession(artifact, target)
    return TorchProfiler(session.module, session.infer, close=session.close)


class TorchCpuNetwork:
    """The eager module, and how images are laid out for it."""

    def __init__(self, artifact: Artifact, target: Target) -> None:
        import torch

        options = read_options(target, TorchCpuOptions)
        torch.set_num_threads(options.thread_count)
        self.ran_on: dict[str, str | int] = {"device": "cpu", "threads": torch.get_num_threads()}
        self._layout = torch.channels_last if options.channels_last else torch.contiguous_format
        model = find_one(artifact.model)
        self.module = model.build(Path(artifact.path)).to(memory_format=self._layout)

    def laid_out(self, images: "NDArray[np.float32]") -> "torch.Tensor":
        """Images (N, 3, H, W) in the memory layout of the network."""
        import torch

        return torch.from_numpy(images).to(memory_format=self._layout)

    def logits(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits (N, classes) of these images, float32."""
        import torch

        with torch.inference_mode():
            logits: NDArray[np.float32] = self.module(self.laid_out(images)).numpy()
        return logits

    def close(self) -> None:
        """Free the module's memory."""
        del self.module


class TorchCpuSession:
    """A network and the images that it is shown; inference mode is entered once a run, outside of the times."""

    clock = NAME
    aggregates = False

    def __init__(self, artifact: Artifact, target: Target) -> None:
        self._network = TorchCpuNetwork(artifact, target)
        self.ran_on, self.module = self._network.ran_on, self._network.module
        self._images = self._network.laid_out(synthetic_images(target.batch, artifact.input_shape[-1] or 0))

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
        del self.module, self._images
        self._network.close()


RUNTIME = Runtime(
    absence=absence,
    open_session=open_session,
    options=TorchCpuOptions,
    open_profiler=open_profiler,
    open_predictor=open_predictor,
)
