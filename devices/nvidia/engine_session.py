"""A plan on the GPU as a session: what the runtimes of TensorRT and TensorRT for RTX share."""

from collections.abc import Callable
from pathlib import Path

from devices.nvidia import preflight
from devices.nvidia.cuda_events import NAME, naming_full_memory, time_each
from devices.nvidia.nvml import Watch
from devices.samples import Samples
from devices.targets import Target
from exporters.artifact import Artifact
from exporters.input_images import input_images
from exporters.tensorrt_engine import Engine

# Opens the plan in a file; raises UserError where it is not for this GPU.
OpenEngine = Callable[[Path], Engine]


class EngineSession:
    """One execution context, queued with execute_async_v3 on a stream of its own."""

    clock = NAME
    aggregates = False

    def __init__(self, open_engine: OpenEngine, artifact: Artifact, target: Target, versions: dict[str, str]) -> None:
        """Load a plan. Raises UserError where this GPU or library can't run it, or it doesn't fit."""
        self._batch = target.batch
        self._watch = Watch(preflight.here().uuid)
        with naming_full_memory(target.batch):
            self._engine = open_engine(Path(artifact.path))
            self._engine.show(input_images(artifact, target.batch))
        self._watch.start()
        self.ran_on: dict[str, str | int] = {
            **versions,
            "input": str(self._engine.input.dtype).removeprefix("torch."),
            **self._watch.facts(),
        }

    def run(self, count: int) -> Samples:
        """The seconds of `count` inferences of one batch."""
        import torch

        engine, read = self._engine, self._watch.read
        with naming_full_memory(self._batch):
            return time_each(engine.queue, count, cuda=torch.cuda, stream=engine.stream, read=read)

    def close(self) -> None:
        """Free the GPU's memory."""
        self._watch.close()
        self._engine.close()
