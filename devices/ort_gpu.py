"""ONNX Runtime on an NVIDIA GPU, by its CUDA or TensorRT provider; a node that would fall back to the CPU is an error.

Option `provider`; every other option but `threads` goes to the provider.
"""

from typing import Any

from devices import nvidia
from devices.cuda_events import NAME, naming_full_memory, time_each
from devices.nvml import Watch
from devices.samples import Samples
from devices.targets import Target
from exporters.artifact import Artifact
from exporters.to_onnx import BATCH, DTYPES, INPUT, OUTPUT
from models.errors import UserError, one_line
from models.images import synthetic_images


class OrtGpuSession:
    """One session on a CUDA stream that it shares with the events; its input and output stay on the device."""

    clock = NAME
    aggregates = False

    def __init__(self, artifact: Artifact, target: Target) -> None:
        import onnxruntime
        import torch  # first: it brings the CUDA libraries that the provider loads

        provider = target.options["provider"]
        if provider not in (found := onnxruntime.get_available_providers()):
            raise _fell_back(target, ", ".join(found))
        self._stream: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self._watch, self._batch = Watch(nvidia.here().uuid), target.batch
        with naming_full_memory(target.batch):
            self._session = _load(artifact.path, target, provider, self._stream.cuda_stream)
            self._tensors, self._binding = self._bind(artifact, target.batch)
        # The stream is ours: ONNX Runtime must not wait for it after every batch.
        self._options = onnxruntime.RunOptions()
        self._options.add_run_config_entry("disable_synchronize_execution_providers", "1")
        self._watch.start()
        self.place: dict[str, str | int] = {"provider": provider, **self._watch.place()}

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
        dtype: Any = getattr(torch, kind)
        images = torch.from_numpy(synthetic_images(batch, artifact.input_shape[-1] or 0)).to("cuda", dtype)
        logits = torch.empty((batch, self._session.get_outputs()[0].shape[-1]), dtype=dtype, device="cuda")
        torch.cuda.synchronize()
        binding = self._session.io_binding()
        binding.bind_input(INPUT, "cuda", 0, kind, tuple(images.shape), images.data_ptr())
        binding.bind_output(OUTPUT, "cuda", 0, kind, tuple(logits.shape), logits.data_ptr())
        return [images, logits], binding


def provider_options(target: Target, stream: int) -> dict[str, str]:
    """What the provider is told: the target's options, and the stream that the events are recorded on."""
    told = {name: value for name, value in target.options.items() if name not in {"provider", "threads"}}
    return {name: str(value) for name, value in told.items()} | {"user_compute_stream": str(stream)}


def session_options(target: Target) -> Any:
    """The batch fixed, and no node left to the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_free_dimension_override_by_name(BATCH, target.batch)
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    return options


def _load(path: str, target: Target, provider: str, stream: int) -> Any:
    import onnxruntime

    providers = [(provider, provider_options(target, stream))]
    try:
        session = onnxruntime.InferenceSession(path, session_options(target), providers=providers)
    except Exception as error:  # onnxruntime's own exceptions have no common ancestor but this
        if "fallback" not in str(error):
            raise
        raise _fell_back(target, one_line(error, 160)) from error
    session.disable_fallback()
    if (found := session.get_providers()[0]) != provider:
        raise _fell_back(target, found)
    return session


def _fell_back(target: Target, found: str) -> UserError:
    return UserError(
        f"{target.name} must run on {target.options['provider']}", found=found, fix="a fallback isn't timed"
    )
