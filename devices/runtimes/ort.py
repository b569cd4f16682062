"""Runtime `ort`: ONNX Runtime, on whichever execution provider the target names."""

import importlib.util
from collections.abc import Mapping

from devices.host import ort_providers
from devices.host.ort_network import OrtNetwork, session_options
from devices.host.ort_options import CPU, host_options, host_options_kind
from devices.host.session import HostSession
from devices.options import Options
from devices.predictor import LoadedPredictor
from devices.profilers.ort import OrtProfiler
from devices.runtime import Preparation, Runtime
from devices.session import Session
from devices.targets import Target
from exporters.artifact import Artifact
from system.errors import UserError


def options(target: Target) -> type[Options]:
    """Those of its provider; a GPU's is handed every one that we don't know."""
    if kind := host_options_kind(target):
        return kind
    if "threads" in target.options:  # no GPU's provider knows them
        fix = f"threads are those of {CPU}"
        raise UserError(f"target {target.name} has no such option", found="'threads'", fix=fix)
    from devices.nvidia.ort_options import gpu_options_kind

    return gpu_options_kind(target)


def absence(target: Target) -> str | None:
    """Why ONNX Runtime, its provider or what that runs on isn't here."""
    if importlib.util.find_spec("onnxruntime") is None:
        return f"no onnxruntime; `make bench-{target.name}` installs it"
    if _on_the_host(target):
        return ort_providers.absence(host_options(target).provider)
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
    """What is free of the GPU's memory; None of any other provider."""
    if _on_the_host(target):
        return None
    from devices.nvidia import preflight

    return preflight.free_bytes(target)


def protocol(target: Target) -> Mapping[str, float]:
    """What is another on a GPU; nothing by any other provider."""
    if _on_the_host(target):
        return {}
    from devices.nvidia import warm

    return warm.protocol(target)


def preparation(target: Target) -> Preparation | None:
    """Building TensorRT's engine, where its provider is asked for."""
    if _on_the_host(target):
        return None
    from devices.nvidia.ort_gpu import build_engine
    from devices.nvidia.ort_options import TENSORRT, gpu_options

    return build_engine if gpu_options(target).provider == TENSORRT else None


def open_session(artifact: Artifact, target: Target) -> Session:
    """Load an ONNX file, its dynamic batch fixed to the target's.

    Raises UserError where ONNX Runtime falls back to another provider.
    """
    if _on_the_host(target):
        return HostSession(OrtNetwork(artifact, target), artifact, target)
    from devices.nvidia.ort_gpu import OrtGpuSession

    return OrtGpuSession(artifact, target)


def open_predictor(artifact: Artifact, target: Target) -> LoadedPredictor:
    """Load an ONNX file as its sessions do, to be asked for logits. Raises UserError where they do."""
    if _on_the_host(target):
        return LoadedPredictor(OrtNetwork(artifact, target), artifact, target)
    from devices.nvidia.ort_gpu import OrtGpuNetwork

    return LoadedPredictor(OrtGpuNetwork(artifact, target), artifact, target)


def open_profiler(artifact: Artifact, target: Target) -> OrtProfiler:
    """The same session with ONNX Runtime's profiler on.

    Raises UserError on a GPU, where it tells the host's times, and where a provider makes one operator of all.
    """
    if not _on_the_host(target):
        found = "ONNX Runtime's takes the host's time to launch a kernel"
        fix = "profile v100-torch, gpu-torch or t4"
        raise UserError(f"no profiler for target {target.name}", found=found, fix=fix)
    if (provider := host_options(target).provider) != CPU:
        found = f"{provider} makes one operator of the whole network"
        raise UserError(f"no profiler for target {target.name}", found=found, fix="profile cpu")
    return OrtProfiler(artifact, target.batch, session_options(target), CPU)


def _on_the_host(target: Target) -> bool:
    """Whether the host's clock times its provider; CUDA's events time the others."""
    return host_options_kind(target) is not None


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
