"""ONNX Runtime on an NVIDIA GPU, by its CUDA or TensorRT provider; a node that falls back to the CPU is an error."""

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from devices.nvidia import preflight
from devices.nvidia.cuda_events import NAME, naming_full_memory, refuse_not_finite, time_each
from devices.nvidia.nvml import Watch
from devices.nvidia.ort_loading import Source, explicitly_padded, fell_back, load
from devices.nvidia.ort_options import (
    CudaOptions,
    OrtGpuOptions,
    engine_folder,
    gpu_options,
    provider_options,
)
from devices.samples import Samples
from devices.targets import Target
from exporters.artifact import Artifact
from exporters.input_images import input_images
from exporters.onnx_run import DTYPES, INPUT, OUTPUT
from system.files import filled_whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class OrtGpuNetwork:
    """One session on a CUDA stream of its own; its input and output stay on the device. `queue` sends a batch."""

    def __init__(self, artifact: Artifact, target: Target) -> None:
        import onnxruntime
        import torch  # first: it brings the CUDA libraries that the provider loads

        options = gpu_options(target)
        provider = options.provider
        if provider not in (found := onnxruntime.get_available_providers()):
            raise fell_back(target, provider, ", ".join(found))
        gpu = preflight.here()
        self.watch, self.batch = Watch(gpu.uuid), target.batch  # before this process is on the GPU
        self.stream: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        source = self._start(artifact, target, options)
        self.watch.start()
        pads: dict[str, str | int] = {"explicit_pads": source.padded} if source.padded else {}
        self.ran_on: dict[str, str | int] = {"provider": provider, **pads, **self.watch.facts()}

    def queue(self) -> None:
        """Send the batch that the input holds to the stream."""
        self._session.run_with_iobinding(self._binding, self._options)

    def logits(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits (N, classes) of these images, float32."""
        import torch

        with naming_full_memory(self.batch):
            self._show(images)
            self._run()
            logits: NDArray[np.float32] = self._output.to("cpu", torch.float32, copy=True).numpy()
        return logits

    def close(self) -> None:
        """Free the GPU's memory."""
        self.watch.close()
        del self._binding, self._input, self._output, self._session

    def _start(self, artifact: Artifact, target: Target, options: OrtGpuOptions) -> Source:
        """Load and run the network; as it lies there, or with explicit pads where that is asked for or needed."""
        asked = options.explicit_pads if isinstance(options, CudaOptions) else False
        source = explicitly_padded(artifact.path) if asked else Source(artifact.path)
        try:
            self._load_and_run(source, artifact, target)
        except Exception as error:  # onnxruntime's own exceptions have no common ancestor but this
            if asked is not None or "CUDNN" not in str(error).upper():
                raise
            source = explicitly_padded(artifact.path)
            if not source.padded:
                raise
            self._load_and_run(source, artifact, target)
        return source

    def _load_and_run(self, source: Source, artifact: Artifact, target: Target) -> None:
        engines = engine_folder(artifact, target, preflight.here())
        with filled_whole(engines) if engines else nullcontext() as filling:
            told = provider_options(target, filling) | {"user_compute_stream": str(self.stream.cuda_stream)}
            self._session = load(source, target, told)
            self._run_once(artifact)

    def _run_once(self, artifact: Artifact) -> None:
        """Bind input and output, and run, so that the provider has chosen its kernels before anything is timed."""
        import onnxruntime

        # The stream is ours: ONNX Runtime must not wait for it after every batch.
        self._options = onnxruntime.RunOptions()
        self._options.add_run_config_entry("disable_synchronize_execution_providers", "1")
        images = input_images(artifact, self.batch)
        with naming_full_memory(self.batch):
            self._bind(images.shape)
            self._show(images)
            self._run()
        refuse_not_finite(self._output)

    def _bind(self, shape: tuple[int, ...]) -> None:
        import torch

        kind = DTYPES[self._session.get_inputs()[0].type]
        dtype = getattr(torch, kind)
        self._input = torch.empty(shape, dtype=dtype, device="cuda")
        self._output = torch.empty((self.batch, self._session.get_outputs()[0].shape[-1]), dtype=dtype, device="cuda")
        self._binding = self._session.io_binding()
        self._binding.bind_input(INPUT, "cuda", 0, kind, tuple(shape), self._input.data_ptr())
        self._binding.bind_output(OUTPUT, "cuda", 0, kind, tuple(self._output.shape), self._output.data_ptr())

    def _show(self, images: "NDArray[np.float32]") -> None:
        """Copy images (N, 3, H, W) to the input, in the type that the file takes; they are there once this returns."""
        import torch

        self._input.copy_(torch.from_numpy(images))
        torch.cuda.synchronize()

    def _run(self) -> None:
        """Run one batch and wait for it."""
        import torch

        self.queue()
        torch.cuda.synchronize()


class OrtGpuSession:
    """A network whose batches are queued on its stream, and timed by events on it."""

    clock = NAME
    aggregates = False

    def __init__(self, artifact: Artifact, target: Target) -> None:
        self._network = OrtGpuNetwork(artifact, target)
        self.ran_on = self._network.ran_on

    def run(self, count: int) -> Samples:
        """The seconds of `count` inferences of one batch."""
        import torch

        network = self._network
        with naming_full_memory(network.batch):
            return time_each(network.queue, count, cuda=torch.cuda, stream=network.stream, read=network.watch.read)

    def close(self) -> None:
        """Free the GPU's memory."""
        self._network.close()


def build_engine(artifact: Artifact, target: Target) -> None:
    """Have TensorRT build the engine that sessions of this artifact load, where it isn't there; it may take minutes."""
    engines = engine_folder(artifact, target, preflight.here())
    if engines and not engines.exists():
        OrtGpuNetwork(artifact, target).close()
