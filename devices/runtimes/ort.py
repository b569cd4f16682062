"""Runtime `ort`: ONNX Runtime, on whichever execution provider the target names."""

import functools
import importlib.util
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from devices.host.clock import NAME, time_each
from devices.options import Options, ThreadOptions, read_options
from devices.predictor import LoadedPredictor
from devices.profilers.ort import OrtProfiler
from devices.runtime import Preparation, Runtime
from devices.samples import Samples
from devices.session import Session
from devices.targets import Target
from exporters.artifact import Artifact
from exporters.onnx_run import BATCH, DTYPES, INPUT, OUTPUT
from models.images import synthetic_images
from system.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime
    from numpy.typing import NDArray

_CPU = "CPUExecutionProvider"


class OrtOptions(ThreadOptions, frozen=True, kw_only=True):
    """How ONNX Runtime runs on this machine's processor."""

    provider: Annotated[str, Meta(description="the execution provider", examples=[_CPU])]


def options(target: Target) -> type[Options]:
    """Those of the CPU, or of a GPU's provider, which is handed every one that we don't know."""
    if target.options.get("provider", _CPU) == _CPU:
        return OrtOptions
    if "threads" in target.options:  # no GPU's provider knows them
        fix = f"threads are those of {_CPU}"
        raise UserError(f"target {target.name} has no such option", found="'threads'", fix=fix)
    from devices.nvidia.ort_options import gpu_options_kind

    return gpu_options_kind(target)


def absence(target: Target) -> str | None:
    """Why ONNX Runtime, its provider or what that runs on isn't here."""
    if importlib.util.find_spec("onnxruntime") is None:
        return "no onnxruntime; `make bench` installs it"
    if _on_cpu(target):
        return None
    from devices.nvidia import compatibility, preflight
    from devices.nvidia.ort_options import TENSORRT, gpu_options

    provider = gpu_options(target).provider
    if wrong := preflight.absence(target):
        return wrong
    gpu = preflight.here()
    lacking = compatibility.ort_lacks(gpu, provider) or (
        compatibility.tensorrt_lacks(gpu) if provider == TENSORRT else None
    )
    return lacking or compatibility.torch_lacks(gpu)


def free_bytes(target: Target) -> int | None:
    """What is free of the GPU's memory; None on the CPU."""
    if _on_cpu(target):
        return None
    from devices.nvidia import preflight

    return preflight.free_bytes(target)


def protocol(target: Target) -> Mapping[str, float]:
    """What is another on a GPU; nothing on the CPU."""
    if _on_cpu(target):
        return {}
    from devices.nvidia import warm

    return warm.protocol(target)


def preparation(target: Target) -> Preparation | None:
    """Building TensorRT's engine, where its provider is asked for."""
    if _on_cpu(target):
        return None
    from devices.nvidia.ort_gpu import build_engine
    from devices.nvidia.ort_options import TENSORRT, gpu_options

    return build_engine if gpu_options(target).provider == TENSORRT else None


def open_session(artifact: Artifact, target: Target) -> Session:
    """Load an ONNX file, its dynamic batch fixed to the target's.

    Raises UserError where ONNX Runtime falls back to another provider.
    """
    if _on_cpu(target):
        return OrtSession(artifact, target)
    from devices.nvidia.ort_gpu import OrtGpuSession

    return OrtGpuSession(artifact, target)


def open_predictor(artifact: Artifact, target: Target) -> LoadedPredictor:
    """Load an ONNX file as its sessions do, to be asked for logits. Raises UserError where they do."""
    if _on_cpu(target):
        return LoadedPredictor(OrtNetwork(artifact, target), artifact, target)
    from devices.nvidia.ort_gpu import OrtGpuNetwork

    return LoadedPredictor(OrtGpuNetwork(artifact, target), artifact, target)


def open_profiler(artifact: Artifact, target: Target) -> OrtProfiler:
    """The same session with ONNX Runtime's profiler on. Raises UserError on a GPU, where it tells the host's times."""
    if not _on_cpu(target):
        found = "ONNX Runtime's takes the host's time to launch a kernel"
        fix = "profile v100-torch, gpu-torch or t4"
        raise UserError(f"no profiler for target {target.name}", found=found, fix=fix)
    return OrtProfiler(artifact, target.batch, _session_options(target), _CPU)


def _on_cpu(target: Target) -> bool:
    return options(target) is OrtOptions


class OrtNetwork:
    """One ONNX Runtime session on the CPU, its output bound to memory that is allocated once; `infer` runs a batch."""

    def __init__(self, artifact: Artifact, target: Target) -> None:
        import onnxruntime

        threads = read_options(target, OrtOptions).thread_count
        session = onnxruntime.InferenceSession(artifact.path, _session_options(target), providers=[_CPU])
        found = session.get_providers()[0]
        if found != _CPU:
            raise UserError(f"{target.name} must run on {_CPU}", found=found, fix="see python -m devices")
        self.ran_on: dict[str, str | int] = {"provider": _CPU, "threads": threads}
        self._dtype = DTYPES[session.get_inputs()[0].type]
        self._binding: onnxruntime.IOBinding = session.io_binding()
        self._binding.bind_output(OUTPUT, "cpu")
        self.infer: Callable[[], object] = functools.partial(session.run_with_iobinding, self._binding)

    def show(self, images: "NDArray[np.float32]") -> None:
        """Bind images (N, 3, H, W), N being the target's batch, in the type that the file takes."""
        self._binding.bind_cpu_input(INPUT, images.astype(self._dtype, copy=False))

    def logits(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits (N, classes) of these images, float32."""
        import numpy as np

        self.show(images)
        self.infer()
        (values,) = self._binding.copy_outputs_to_cpu()
        self._binding.clear_binding_inputs()  # it would keep the images until the next ones
        return np.array(values, dtype=np.float32)

    def close(self) -> None:
        """Free the session's memory."""
        del self.infer, self._binding


class OrtSession:
    """A network whose input is bound once."""

    clock = NAME
    aggregates = False

    def __init__(self, artifact: Artifact, target: Target) -> None:
        self.network = OrtNetwork(artifact, target)
        self.ran_on = self.network.ran_on
        self.network.show(synthetic_images(target.batch, artifact.input_shape[-1] or 0))

    def run(self, count: int) -> Samples:
        """The seconds of `count` inferences of one batch."""
        return time_each(self.network.infer, count)

    def close(self) -> None:
        """Free the session's memory."""
        self.network.close()


def _session_options(target: Target) -> "onnxruntime.SessionOptions":
    import onnxruntime

    session_options = onnxruntime.SessionOptions()
    session_options.log_severity_level = 3
    session_options.add_free_dimension_override_by_name(BATCH, target.batch)
    session_options.intra_op_num_threads = read_options(target, OrtOptions).thread_count
    session_options.inter_op_num_threads = 1
    # Threads spin while an inference runs and stop with it; spinning on, they would slow the next session.
    session_options.add_session_config_entry("session.force_spinning_stop", "1")
    return session_options


RUNTIME = Runtime(
    absence=absence,
    open_session=open_session,
    options=options,
    open_profiler=open_profiler,
    open_predictor=open_predictor,
    preparation=preparation,
    free_bytes=free_bytes,
    protocol=protocol,
)
