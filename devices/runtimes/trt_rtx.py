"""Runtime `trt_rtx`: a plan of TensorRT for RTX, compiled for the GPU when it is loaded, its input on the device."""

from devices.nvidia import compatibility, preflight, warm
from devices.nvidia.engine_session import EngineNetwork, EngineSession
from devices.options import DeviceClockOptions
from devices.predictor import LoadedPredictor
from devices.profilers.trt import TrtProfiler, profile_engine
from devices.runtime import Runtime
from devices.targets import Target
from exporters.artifact import Artifact
from exporters.to_tensorrt_rtx import CAPABILITIES, library, open_engine


def absence(target: Target) -> str | None:
    """Why there is no GPU that the target's plans are for, or no TensorRT for RTX and torch that run on it."""
    if wrong := preflight.absence(target):
        return wrong
    gpu = preflight.here()
    capabilities = target.compute_capabilities or CAPABILITIES
    return compatibility.tensorrt_rtx_lacks(gpu, capabilities) or compatibility.torch_lacks(gpu)


def open_session(artifact: Artifact, target: Target) -> EngineSession:
    """Load a plan. Raises UserError where it is not for this GPU or of another version, or doesn't fit."""
    return EngineSession(_network(artifact, target))


def open_predictor(artifact: Artifact, target: Target) -> LoadedPredictor:
    """Load a plan as its sessions do, to be asked for logits. Raises UserError where they do."""
    return LoadedPredictor(_network(artifact, target), artifact, target)


def open_profiler(artifact: Artifact, target: Target) -> TrtProfiler:
    """The same plan, each layer timed by TensorRT for RTX."""
    return profile_engine(open_engine, artifact, target.batch, library().IProfiler)


def _network(artifact: Artifact, target: Target) -> EngineNetwork:
    return EngineNetwork(open_engine, artifact, target, {"tensorrt_rtx": library().__version__})


# It has no options of its own: what shapes a plan is decided where it is built.
RUNTIME = Runtime(
    absence=absence,
    open_session=open_session,
    options=DeviceClockOptions,
    open_profiler=open_profiler,
    open_predictor=open_predictor,
    free_bytes=preflight.free_bytes,
    protocol=warm.protocol,
)
