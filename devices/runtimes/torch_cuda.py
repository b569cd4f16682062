"""Runtime `torch_cuda`: the network in eager PyTorch on an NVIDIA GPU, FP16 or FP32."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from devices.nvidia import compatibility, preflight, warm
from devices.nvidia.cuda_events import NAME, naming_full_memory, refuse_not_finite, time_each
from devices.nvidia.nvml import Watch
from devices.options import DeviceClockOptions, read_options
from devices.predictor import LoadedPredictor
from devices.profilers.torch import TorchProfiler
from devices.runtime import Runtime
from devices.samples import Samples
from devices.targets import Target
from exporters.artifact import Artifact
from exporters.input_images import input_images
from models.zoo import find_one

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray


class TorchCudaOptions(DeviceClockOptions, frozen=True, kw_only=True):
    """How eager PyTorch runs."""

    channels_last: Annotated[bool, Meta(description="lay out memory NHWC, as tensor cores want it")] = False
    cuda_graph: Annotated[bool, Meta(description="replay one captured graph")] = False


def absence(target: Target) -> str | None:
    """Why there is no such GPU, or no torch that has kernels for it."""
    return preflight.absence(target) or compatibility.torch_lacks(preflight.here())


def open_session(artifact: Artifact, target: Target) -> "TorchCudaSession":
    """Build the network with the artifact's weights on the GPU. Raises UserError where it doesn't fit."""
    return TorchCudaSession(_network(artifact, target))


def open_predictor(artifact: Artifact, target: Target) -> LoadedPredictor:
    """Build the network as its sessions do, to be asked for logits. Raises UserError where they do."""
    return LoadedPredictor(_network(artifact, target), artifact, target)


def open_profiler(artifact: Artifact, target: Target) -> TorchProfiler:
    """The same network in eager torch, by its kernels' times; a CUDA graph names no operators, so none is replayed."""
    return TorchCudaSession(_network(artifact, target)).profiler()


def _network(artifact: Artifact, target: Target) -> "TorchCudaNetwork":
    import torch

    with naming_full_memory(target.batch):
        return TorchCudaNetwork(artifact, target, cuda=torch.cuda, device="cuda", watch=Watch(preflight.here().uuid))


class TorchCudaNetwork:
    """The eager module and its input on the GPU; tests run it on the CPU, with a probe in place of torch.cuda.

    `queue` sends a batch, under inference mode, and gives its logits on the GPU.
    """

    def __init__(self, artifact: Artifact, target: Target, *, cuda: Any, device: str, watch: Any) -> None:
        import torch

        torch.backends.cudnn.benchmark = True
        dtype = torch.float16 if artifact.precision == "fp16" else torch.float32
        options = read_options(target, TorchCudaOptions)
        layout = torch.channels_last if options.channels_last else torch.contiguous_format
        model = find_one(artifact.model)
        module = model.build(Path(artifact.path))
        self.module: Any = module.to(device, dtype).to(memory_format=layout)
        images = torch.from_numpy(input_images(artifact, target.batch))
        self.images = images.to(device, dtype).to(memory_format=layout)
        self.cuda, self.watch, self.batch = cuda, watch, target.batch
        self.queue = self._first_run(graph=options.cuda_graph)
        watch.start()
        self.ran_on: dict[str, str | int] = {
            "device": str(self.images.device),
            "dtype": str(dtype).removeprefix("torch."),
            "layout": str(layout).removeprefix("torch."),
            "cuda_graph": int(options.cuda_graph),
            "cudnn_benchmark": 1,
            "cuda": torch.version.cuda or "",
            **watch.facts(),
        }

    def infer(self) -> "torch.Tensor":
        """The logits of the batch on the GPU, by the module itself whether or not a graph was captured."""
        import torch

        with torch.inference_mode():
            logits: torch.Tensor = self.module(self.images)
        return logits

    def logits(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits (N, classes) of these images, float32."""
        import torch

        with naming_full_memory(self.batch), torch.inference_mode():
            self.images.copy_(torch.from_numpy(images))
            # Reading them waits for the GPU.
            logits: NDArray[np.float32] = self.queue().to("cpu", torch.float32, copy=True).numpy()
        return logits

    def close(self) -> None:
        """Free the GPU's memory."""
        self.watch.close()
        del self.queue, self.module, self.images

    def _first_run(self, *, graph: bool) -> "Callable[[], torch.Tensor]":
        """Run once, so that cuDNN has chosen its kernels, and look at the logits; what queues a batch from then on."""
        import torch

        with torch.inference_mode():
            refuse_not_finite(self.module(self.images))
            if not graph:
                return lambda: self.module(self.images)
            captured = self.cuda.CUDAGraph()
            with self.cuda.graph(captured):
                logits: torch.Tensor = self.module(self.images)

        def replay() -> torch.Tensor:
            captured.replay()
            return logits

        return replay


class TorchCudaSession:
    """A network on the GPU under inference mode, its input there already."""

    clock = NAME
    aggregates = False

    def __init__(self, network: TorchCudaNetwork) -> None:
        self._network, self.ran_on = network, network.ran_on

    def run(self, count: int) -> Samples:
        """The seconds of `count` inferences of one batch."""
        import torch

        network = self._network
        with naming_full_memory(network.batch), torch.inference_mode():
            stream = network.cuda.current_stream()
            return time_each(network.queue, count, cuda=network.cuda, stream=stream, read=network.watch.read)

    def profiler(self) -> TorchProfiler:
        """The module's batches under torch's profiler; closing it closes this session."""
        network = self._network

        def time_one(call: Callable[[], object]) -> Samples:
            return time_each(call, 1, cuda=network.cuda, stream=network.cuda.current_stream(), read=dict)

        return TorchProfiler(network.module, network.infer, time_one=time_one, close=self.close)

    def close(self) -> None:
        """Free the GPU's memory."""
        self._network.close()


RUNTIME = Runtime(
    absence=absence,
    open_session=open_session,
    options=TorchCudaOptions,
    open_profiler=open_profiler,
    open_predictor=open_predictor,
    free_bytes=preflight.free_bytes,
    protocol=warm.protocol,
)
