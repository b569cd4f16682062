"""ONNX Runtime on an NVIDIA GPU, by its CUDA or TensorRT provider; a node that falls back to the CPU is an error."""

import hashlib
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from devices.nvidia import preflight
from devices.nvidia.cuda_events import NAME, naming_full_memory, refuse_not_finite, time_each
from devices.nvidia.nvml import Watch
from devices.options import OpenOptions, read_options
from devices.samples import Samples
from devices.targets import Target
from exporters.artifact import Artifact
from exporters.input_images import input_images
from exporters.to_onnx import BATCH, DTYPES, INPUT, OUTPUT
from system.errors import UserError, one_line
from system.gpu import Gpu

TENSORRT = "TensorrtExecutionProvider"


class OrtGpuOptions(OpenOptions, frozen=True, kw_only=True):
    """Which provider runs the network; every other option goes to it, and it refuses what it doesn't know."""

    provider: Annotated[str, Meta(description="the execution provider", examples=[TENSORRT])]


class OrtGpuSession:
    """One session on a CUDA stream that it shares with the events; its input and output stay on the device."""

    clock = NAME
    aggregates = False

    def __init__(self, artifact: Artifact, target: Target) -> None:
        import onnxruntime
        import torch  # first: it brings the CUDA libraries that the provider loads

        provider = read_options(target, OrtGpuOptions).provider
        if provider not in (found := onnxruntime.get_available_providers()):
            raise _fell_back(target, provider, ", ".join(found))
        gpu = preflight.here()
        self._watch, self._batch = Watch(gpu.uuid), target.batch  # before this process is on the GPU
        self._stream: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        told = provider_options(artifact, target, gpu) | {"user_compute_stream": str(self._stream.cuda_stream)}
        self._session = _load(artifact.path, target, provider, told)
        # The stream is ours: ONNX Runtime must not wait for it after every batch.
        self._options = onnxruntime.RunOptions()
        self._options.add_run_config_entry("disable_synchronize_execution_providers", "1")
        with naming_full_memory(target.batch):
            self._tensors, self._binding = self._bind(artifact, target.batch)
            self._queue()  # once, so that the provider has chosen its kernels before anything is timed
            torch.cuda.synchronize()
        refuse_not_finite(self._tensors[1])
        self._watch.start()
        self.ran_on: dict[str, str | int] = {"provider": provider, **self._watch.facts()}

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


def provider_options(artifact: Artifact, target: Target, gpu: Gpu) -> dict[str, str]:
    """What the provider is told besides its stream: the target's options, and where TensorRT keeps what it built."""
    options = read_options(target, OrtGpuOptions)
    handed_on = {name: str(value) for name, value in options.rest.items()}
    if options.provider != TENSORRT:
        return handed_on
    # Without these the engine would be built whenever a session is opened.
    kept = dict.fromkeys(("trt_engine_cache_enable", "trt_timing_cache_enable"), "True")
    folder = _engine_folder(artifact, target, gpu)
    return kept | dict.fromkeys(("trt_engine_cache_path", "trt_timing_cache_path"), folder) | handed_on


def _engine_folder(artifact: Artifact, target: Target, gpu: Gpu) -> str:
    """Where TensorRT's engine is kept: beside the file, one for each content, batch, set of options and GPU.

    ONNX Runtime names an engine after the network, its precision and sm_XX, and would take one of other options.
    """
    shaping = repr([target.batch, sorted(target.options.items()), gpu.name])
    key = hashlib.sha256(shaping.encode()).hexdigest()
    return f"{Path(artifact.path).with_suffix('')}-trt-{artifact.sha256[:12]}-{key[:8]}"


def session_options(target: Target) -> Any:
    """The batch fixed, and no node left to the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_free_dimension_override_by_name(BATCH, target.batch)
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    return options


def _load(path: str, target: Target, provider: str, told: dict[str, str]) -> Any:
    """The session. Raises UserError with ONNX Runtime's own reason where there is none on the target's provider."""
    import onnxruntime

    if provider == TENSORRT:
        import tensorrt  # noqa: F401 - it brings the libraries that the provider loads
    providers, options = [(provider, told)], session_options(target)
    try:
        with naming_full_memory(target.batch):
            # Its own fallback would try the CPU next, and hide what was wrong.
            session = onnxruntime.InferenceSession(path, options, providers=providers, enable_fallback=0)
    except UserError:
        raise
    except Exception as error:  # onnxruntime's own exceptions have no common ancestor but this
        found = one_line(error, 240)
        if "fallback" in str(error):
            raise _fell_back(target, provider, found) from error
        fix = f"check the target's options, or remove {path}"
        raise UserError(f"{provider} can't load the network", found=found, fix=fix) from error
    if (found := session.get_providers()[0]) != provider:
        raise _fell_back(target, provider, found)
    return session


def _fell_back(target: Target, provider: str, found: str) -> UserError:
    return UserError(f"{target.name} must run on {provider}", found=found, fix="a fallback isn't timed")
