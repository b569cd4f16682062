"""ONNX Runtime on an NVIDIA GPU, by its CUDA or TensorRT provider; a node that falls back to the CPU is an error."""

from contextlib import nullcontext
from typing import Any, NamedTuple

from devices.nvidia import preflight
from devices.nvidia.cuda_events import NAME, naming_full_memory, refuse_not_finite, time_each
from devices.nvidia.explicit_pads import FOLDING, pad_explicitly
from devices.nvidia.nvml import Watch
from devices.nvidia.ort_options import (
    TENSORRT,
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
from exporters.to_onnx import BATCH, DTYPES, INPUT, INTEGER_BIASES, OUTPUT
from system.errors import UserError, one_line
from system.files import filled_whole


class OrtGpuSession:
    """One session on a CUDA stream that it shares with the events; its input and output stay on the device."""

    clock = NAME
    aggregates = False

    def __init__(self, artifact: Artifact, target: Target) -> None:
        import onnxruntime
        import torch  # first: it brings the CUDA libraries that the provider loads

        options = gpu_options(target)
        provider = options.provider
        if provider not in (found := onnxruntime.get_available_providers()):
            raise _fell_back(target, provider, ", ".join(found))
        gpu = preflight.here()
        self._watch, self._batch = Watch(gpu.uuid), target.batch  # before this process is on the GPU
        self._stream: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        network = self._start(artifact, target, options)
        self._watch.start()
        pads: dict[str, str | int] = {"explicit_pads": network.padded} if network.padded else {}
        self.ran_on: dict[str, str | int] = {"provider": provider, **pads, **self._watch.facts()}

    def run(self, count: int) -> Samples:
        """The seconds of `count` inferences of one batch."""
        import torch

        read = self._watch.read
        with naming_full_memory(self._batch):
            return time_each(self._queue, count, cuda=torch.cuda, stream=self._stream, read=read)

    def close(self) -> None:
        """Free the GPU's memory."""
        self._watch.close()
        del self._binding, self._tensors, self._session

    def _start(self, artifact: Artifact, target: Target, options: OrtGpuOptions) -> "_Network":
        """Load and run the network; as it lies there, or with explicit pads where that is asked for or needed."""
        asked = options.explicit_pads if isinstance(options, CudaOptions) else False
        network = _padded(artifact.path) if asked else _Network(artifact.path)
        try:
            self._load_and_run(network, artifact, target)
        except Exception as error:  # onnxruntime's own exceptions have no common ancestor but this
            if asked is not None or "CUDNN" not in str(error).upper():
                raise
            network = _padded(artifact.path)
            if not network.padded:
                raise
            self._load_and_run(network, artifact, target)
        return network

    def _load_and_run(self, network: "_Network", artifact: Artifact, target: Target) -> None:
        engines = engine_folder(artifact, target, preflight.here())
        with filled_whole(engines) if engines else nullcontext() as filling:
            told = provider_options(target, filling) | {"user_compute_stream": str(self._stream.cuda_stream)}
            self._session = _load(network, target, told)
            self._run_once(artifact)

    def _run_once(self, artifact: Artifact) -> None:
        """Bind input and output, and run, so that the provider has chosen its kernels before anything is timed."""
        import onnxruntime
        import torch

        # The stream is ours: ONNX Runtime must not wait for it after every batch.
        self._options = onnxruntime.RunOptions()
        self._options.add_run_config_entry("disable_synchronize_execution_providers", "1")
        with naming_full_memory(self._batch):
            self._tensors, self._binding = self._bind(artifact, self._batch)
            self._queue()
            torch.cuda.synchronize()
        refuse_not_finite(self._tensors[1])

    def _queue(self) -> None:
        self._session.run_with_iobinding(self._binding, self._options)

    def _bind(self, artifact: Artifact, batch: int) -> tuple[list[Any], Any]:
        import torch

        kind = DTYPES[self._session.get_inputs()[0].type]
        shown = torch.from_numpy(input_images(artifact, batch).astype(kind))
        dtype = shown.dtype
        images = torch.empty(shown.shape, dtype=dtype, device="cuda")
        images.copy_(shown)
        logits = torch.empty((batch, self._session.get_outputs()[0].shape[-1]), dtype=dtype, device="cuda")
        torch.cuda.synchronize()
        binding = self._session.io_binding()
        binding.bind_input(INPUT, "cuda", 0, kind, tuple(images.shape), images.data_ptr())
        binding.bind_output(OUTPUT, "cuda", 0, kind, tuple(logits.shape), logits.data_ptr())
        return [images, logits], binding


def build_engine(artifact: Artifact, target: Target) -> None:
    """Have TensorRT build the engine that sessions of this artifact load, where it isn't there; it may take minutes."""
    engines = engine_folder(artifact, target, preflight.here())
    if engines and not engines.exists():
        OrtGpuSession(artifact, target).close()


def session_options(target: Target) -> Any:
    """The batch fixed, and no node left to the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_free_dimension_override_by_name(BATCH, target.batch)
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    return options


class _Network(NamedTuple):
    """What is loaded: the file at `path`, or its `content` in which so many convolutions were `padded` explicitly."""

    path: str
    content: bytes | None = None
    padded: int = 0


def _padded(path: str) -> _Network:
    import onnx

    model = onnx.load(path)
    padded = pad_explicitly(model)
    return _Network(path, model.SerializeToString(), padded) if padded else _Network(path)


def _load(network: _Network, target: Target, told: dict[str, str]) -> Any:
    """The session. Raises UserError with ONNX Runtime's own reason where there is none on the target's provider."""
    import onnxruntime

    provider = gpu_options(target).provider
    if provider == TENSORRT:
        import tensorrt  # noqa: F401 - it brings the libraries that the provider loads
    providers, options = [(provider, told)], session_options(target)
    source = network.content or network.path
    left_out = [INTEGER_BIASES, FOLDING] if network.padded else [INTEGER_BIASES]
    try:
        with naming_full_memory(target.batch):
            # Its own fallback would try the CPU next, and hide what was wrong.
            session = onnxruntime.InferenceSession(
                source, options, providers=providers, enable_fallback=0, disabled_optimizers=left_out
            )
    except UserError:
        raise
    except Exception as error:  # onnxruntime's own exceptions have no common ancestor but this
        found = one_line(error, 240)
        if "fallback" in str(error):
            raise _fell_back(target, provider, found) from error
        fix = f"check the target's options, or remove {network.path}"
        raise UserError(f"{provider} can't load the network", found=found, fix=fix) from error
    if (found := session.get_providers()[0]) != provider:
        raise _fell_back(target, provider, found)
    return session


def _fell_back(target: Target, provider: str, found: str) -> UserError:
    return UserError(f"{target.name} must run on {provider}", found=found, fix="a fallback isn't timed")
