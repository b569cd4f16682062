"""A plan on the GPU, and its session: what the runtimes of TensorRT and TensorRT for RTX share."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from devices.nvidia import preflight
from devices.nvidia.cuda_events import NAME, naming_full_memory, time_each
from devices.nvidia.nvml import Watch
from devices.samples import Samples
from devices.targets import Target
from exporters.artifact import Artifact
from exporters.input_images import input_images
from exporters.tensorrt_engine import Engine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Opens the plan in a file; raises UserError where it is not for this GPU.
OpenEngine = Callable[[Path], Engine]


class EngineNetwork:
    """One execution context that was shown a batch, on a stream of its own."""

    def __init__(self, open_engine: OpenEngine, artifact: Artifact, target: Target, versions: dict[str, str]) -> None:
        """Load a plan. Raises UserError where this GPU or library can't run it, or it doesn't fit."""
        self.batch, self.watch = target.batch, Watch(preflight.here().uuid)
        with naming_full_memory(target.batch):
            self.engine = open_engine(Path(artifact.path))
            self.engine.show(input_images(artifact, target.batch))
        self.watch.start()
        self.ran_on: dict[str, str | int] = {
            **versions,
            "input": str(self.engine.input.dtype).removeprefix("torch."),
            **self.watch.facts(),
        }

    def logits(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits (N, classes) of these images, float32."""
        with naming_full_memory(self.batch):
            return self.engine.logits(images)

    def close(self) -> None:
        """Free the GPU's memory."""
        self.watch.close()
        self.engine.close()


class EngineSession:
    """A plan whose batches are queued with execute_async_v3."""

    clock = NAME
    aggregates = False

    def __init__(self, network: EngineNetwork) -> None:
        self._network, self.ran_on = network, network.ran_on

    def run(self, count: int) -> Samples:
        """The seconds of `count` inferences of one batch."""
        import torch

        engine, read = self._network.engine, self._network.watch.read
        with naming_full_memory(self._network.batch):
            return time_each(engine.queue, count, cuda=torch.cuda, stream=engine.stream, read=read)

    def close(self) -> None:
        """Free the GPU's memory."""
        self._network.close()
