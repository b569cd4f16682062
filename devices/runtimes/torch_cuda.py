"""Runtime `torch_cuda`: the network in eager PyTorch on an NVIDIA GPU, FP16 or FP32."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from devices.nvidia import compatibility, preflight, warm
from devices.nvidia.cuda_events import NAME, naming_full_memory, refuse_not_finite, time_each
from devices.nvidia.nvml import Watch
from devices.options import DeviceClockOptions, read_options
from devices.profilers.torch import TorchProfiler
from devices.runtime import Runtime
from devices.samples import Samples
from devices.targets import Target
from exporters.artifact import Artifact
from exporters.input_images import input_images
from models.zoo import find


class TorchCudaOptions(DeviceClockOptions, frozen=True, kw_only=True):
    """How eager PyTorch runs."""

    channels_last: Annotated[bool, Meta(description="lay out memory NHWC, as tensor cores want it")] = False
    cuda_graph: Annotated[bool, Meta(description="replay one captured graph")] = False


def absence(target: Target) -> str | None:
    """Why there is no such GPU, or no torch that has kernels for it."""
    return preflight.absence(target) or compatibility.torch_lacks(preflight.here())


def open_session(artifact: Artifact, target: Target) -> "TorchCudaSession":
    """Build the network with the artifact's weights on the GPU. Raises UserError where it doesn't fit."""
    import torch

    with naming_full_memory(target.batch):
        return TorchCudaSession(artifact, target, cuda=torch.cuda, device="cuda", watch=Watch(preflight.here().uuid))


def open_profiler(artifact: Artifact, target: Target) -> TorchProfiler:
    """The same network in eager torch, by its kernels' times; a CUDA graph names no operators, so none is replayed."""
    import torch

    with naming_full_memory(target.batch):
        session = TorchCudaSession(artifact, target, cuda=torch.cuda, device="cuda", watch=Watch(preflight.here().uuid))
    return session.profiler()


class TorchCudaSession:
    """The eager module under inference mode; tests run it on the CPU, with a probe in place of torch.cuda."""

    clock = NAME
    aggregates = False

    def __init__(self, artifact: Artifact, target: Target, *, cuda: Any, device: str, watch: Any) -> None:
        import torch

        torch.backends.cudnn.benchmark = True
        dtype = torch.float16 if artifact.precision == "fp16" else torch.float32
        options = read_options(target, TorchCudaOptions)
        layout = torch.channels_last if options.channels_last else torch.contiguous_format
        (model,) = find(artifact.model)
        module = model.build(Path(artifact.path))
        self._module: Any = module.to(device, dtype).to(memory_format=layout)
        images = torch.from_numpy(input_images(artifact, target.batch))
        self._images = images.to(device, dtype).to(memory_format=layout)
        self._cuda, self._watch, self._batch = cuda, watch, target.batch
        self._queue = self._first_run(graph=options.cuda_graph)
        watch.start()
        self.ran_on: dict[str, str | int] = {
            "device": str(self._images.device),
            "dtype": str(dtype).removeprefix("torch."),
            "layout": str(layout).removeprefix("torch."),
            "cuda_graph": int(options.cuda_graph),
            "cudnn_benchmark": 1,
            "cuda": torch.version.cuda or "",
            **watch.facts(),
        }

    def run(self, count: int) -> Samples:
        """The seconds of `count` inferences of one batch."""
        import torch

        with naming_full_memory(self._batch), torch.inference_mode():
            stream = self._cuda.current_stream()
            return time_each(self._queue, count, cuda=self._cuda, stream=stream, read=self._watch.read)

    def profiler(self) -> TorchProfiler:
        """The module's batches under torch's profiler; closing it closes this session."""

        def time_one(call: Callable[[], object]) -> Samples:
            return time_each(call, 1, cuda=self._cuda, stream=self._cuda.current_stream(), read=dict)

        return TorchProfiler(self._module, self._infer, time_one=time_one, close=self.close)

    def _infer(self) -> object:
        import torch

        with torch.inference_mode():
            return self._module(self._images)

    def close(self) -> None:
        """Free the GPU's memory."""
        self._watch.close()
        del self._queue, self._module, self._images

    def _first_run(self, *, graph: bool) -> Callable[[], object]:
        """Run once, so that cuDNN has chosen its kernels, and look at the logits; what queues a batch from then on."""
        import torch

        with torch.inference_mode():
            logits = self._module(self._images)
            refuse_not_finite(logits)
            if not graph:
                return lambda: self._module(self._images)
            captured = self._cuda.CUDAGraph()
            with self._cuda.graph(captured):
                self._module(self._images)
            replay: Callable[[], object] = captured.replay
            return replay


RUNTIME = Runtime(
    absence=absence,
    open_session=open_session,
    options=TorchCudaOptions,
    open_profiler=open_profiler,
    free_bytes=preflight.free_bytes,
    protocol=warm.protocol,
)
