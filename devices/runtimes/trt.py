"""Runtime `trt`: a TensorRT plan on the GPU that it was built on, its input and output on the device."""

from collections.abc import Callable
from pathlib import Path

from devices.nvidia import compatibility, preflight, warm
from devices.nvidia.cuda_events import NAME, naming_full_memory, time_each
from devices.nvidia.nvml import Watch
from devices.options import DeviceClockOptions
from devices.profilers.ort import scopes_of
from devices.profilers.trt import TrtProfiler
from devices.runtime import Runtime
from devices.samples import Samples
from devices.targets import Target
from exporters.artifact import Artifact
from exporters.cache import obtain_source
from exporters.input_images import input_images


def absence(target: Target) -> str | None:
    """Why there is no such GPU, or no TensorRT and torch that have kernels for it."""
    if wrong := preflight.absence(target):
        return wrong
    gpu = preflight.here()
    return compatibility.tensorrt_lacks(gpu) or compatibility.torch_lacks(gpu)


def open_session(artifact: Artifact, target: Target) -> "TrtSession":
    """Load a plan. Raises UserError where this GPU or TensorRT didn't build it, or it doesn't fit."""
    with naming_full_memory(target.batch):
        return TrtSession(artifact, target)


def open_profiler(artifact: Artifact, target: Target) -> TrtProfiler:
    """The same plan, each layer timed by TensorRT; layers are traced to modules by the ONNX file it was built from."""
    import torch

    from exporters.tensorrt_engine import Engine

    def time_one(queue: Callable[[], object]) -> Samples:
        return time_each(queue, 1, cuda=torch.cuda, stream=engine.stream, read=dict)

    with naming_full_memory(target.batch):
        engine = Engine(Path(artifact.path))
        engine.show(input_images(artifact, target.batch))
        return TrtProfiler(engine, time_one, scopes_of(Path(obtain_source(artifact).path)))


class TrtSession:
    """One execution context, queued with execute_async_v3 on a stream of its own."""

    clock = NAME
    aggregates = False

    def __init__(self, artifact: Artifact, target: Target) -> None:
        import tensorrt as trt

        from exporters.tensorrt_engine import Engine

        self._watch = Watch(preflight.here().uuid)
        self._batch = target.batch
        self._engine = Engine(Path(artifact.path))
        self._engine.show(input_images(artifact, target.batch))
        self._watch.start()
        self.ran_on: dict[str, str | int] = {
            "tensorrt": trt.__version__,
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


# It has no options of its own: what shapes a plan is decided where it is built.
RUNTIME = Runtime(
    absence=absence,
    open_session=open_session,
    options=DeviceClockOptions,
    open_profiler=open_profiler,
    free_bytes=preflight.free_bytes,
    protocol=warm.protocol,
)
