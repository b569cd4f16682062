"""Runtime `ort`: ONNX Runtime, on whichever execution provider the target names."""

import importlib.util
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from devices.host.clock import NAME, time_each
from devices.profilers.ort import OrtProfiler
from devices.samples import Samples
from devices.session import Session
from devices.targets import Target, threads_of
from exporters.artifact import Artifact
from exporters.to_onnx import BATCH, DTYPES, INPUT, OUTPUT
from models.images import synthetic_images
from system.errors import UserError

if TYPE_CHECKING:
    import onnxruntime

IN_PROCESS = False


def absence(target: Target) -> str | None:
    """Why ONNX Runtime, its provider or what that runs on isn't here."""
    if importlib.util.find_spec("onnxruntime") is None:
        return "no onnxruntime; `make bench` installs it"
    provider = target.options.get("provider")
    if provider is None:
        return "it names no provider; give one in its options, such as CPUExecutionProvider"
    if provider == "CPUExecutionProvider":
        threads_of(target)
        return None
    if "threads" in target.options:
        fix = "threads are those of CPUExecutionProvider"
        raise UserError(f"target {target.name} has no such option", found="'threads'", fix=fix)
    from devices.nvidia import compatibility, preflight
    from devices.nvidia.ort_gpu import TENSORRT

    if wrong := preflight.absence(target):
        return wrong
    gpu = preflight.here()
    lacking = compatibility.ort_lacks(gpu, provider) or (
        compatibility.tensorrt_lacks(gpu) if provider == TENSORRT else None
    )
    return lacking or compatibility.torch_lacks(gpu)


def options(target: Target) -> Collection[str] | None:
    """What it understands; a provider of GPUs is handed every other option, and refuses unknown ones itself."""
    return ("provider", "threads", "pad") if target.options.get("provider") == "CPUExecutionProvider" else None


def sessions_at_once(target: Target) -> int | None:
    """One on a GPU, where each keeps its workspaces for a batch of 64; as many as memory holds on the CPU."""
    return None if target.options["provider"] == "CPUExecutionProvider" else 1


def open_session(artifact: Artifact, target: Target) -> Session:
    """Load an ONNX file, its dynamic batch fixed to the target's.

    Raises UserError where ONNX Runtime falls back to another provider.
    """
    if target.options["provider"] == "CPUExecutionProvider":
        return OrtSession(artifact, target)
    from devices.nvidia.ort_gpu import OrtGpuSession

    return OrtGpuSession(artifact, target)


def open_profiler(artifact: Artifact, target: Target) -> OrtProfiler:
    """The same session with ONNX Runtime's profiler on. Raises UserError on a GPU, where it tells the host's times."""
    if target.options["provider"] != "CPUExecutionProvider":
        found = "ONNX Runtime's takes the host's time to launch a kernel"
        fix = "profile v100-torch, gpu-torch or t4"
        raise UserError(f"no profiler for target {target.name}", found=found, fix=fix)
    return OrtProfiler(artifact, target.batch, _options(target), target.options["provider"])


class OrtSession:
    """One ONNX Runtime session with its input and output bound to memory that is allocated once.

    The option `pad` makes every inference longer by that share of its time: a planted slowdown, to see what
    `reports compare` finds.
    """

    clock = NAME
    aggregates = False

    def __init__(self, artifact: Artifact, target: Target) -> None:
        import onnxruntime

        provider = target.options["provider"]
        self._session = onnxruntime.InferenceSession(artifact.path, _options(target), providers=[provider])
        found = self._session.get_providers()[0]
        if found != provider:
            raise UserError(f"{target.name} must run on {provider}", found=found, fix="see python -m devices")
        self.ran_on: dict[str, str | int] = {"provider": provider, "threads": threads_of(target)}
        self._binding = self._bind(artifact, target.batch)
        self._pad = float(target.options.get("pad", 0.0))

    def run(self, count: int) -> Samples:
        """The seconds of `count` inferences of one batch."""
        session, binding = self._session, self._binding
        infer = lambda: session.run_with_iobinding(binding)  # noqa: E731 - the plainest call there is
        return time_each(_padded(infer, self._pad) if self._pad else infer, count)

    def close(self) -> None:
        """Free the session's memory."""
        del self._binding, self._session

    def _bind(self, artifact: Artifact, batch: int) -> Any:
        binding: onnxruntime.IOBinding = self._session.io_binding()
        dtype = DTYPES[self._session.get_inputs()[0].type]
        images = synthetic_images(batch, artifact.input_shape[-1] or 0).astype(dtype)
        binding.bind_cpu_input(INPUT, images)
        binding.bind_output(OUTPUT, "cpu")
        return binding


def _padded(call: Callable[[], object], share: float) -> Callable[[], None]:
    def padded() -> None:
        start_ns = time.perf_counter_ns()
        call()
        end_ns = time.perf_counter_ns()
        end_ns += int((end_ns - start_ns) * share)
        while time.perf_counter_ns() < end_ns:
            pass

    return padded


def _options(target: Target) -> "onnxruntime.SessionOptions":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_free_dimension_override_by_name(BATCH, target.batch)
    options.intra_op_num_threads = threads_of(target)
    options.inter_op_num_threads = 1
    # Threads spin while an inference runs and stop with it; spinning on, they would slow whoever comes next.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return options
