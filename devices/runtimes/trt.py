"""Runtime `trt`: a TensorRT plan on the GPU that it was built on, its input and output on the device."""

from devices.nvidia import compatibility, preflight, warm
from devices.nvidia.engine_session import EngineNetwork, EngineSession
from devices.options import DeviceClockOptions
from devices.predictor import LoadedPredictor
from devices.profilers.trt import TrtProfiler, profile_engine
from devices.runtime import Runtime
from devices.targets import Target
from exporters.artifact import Artifact
from exporters.to_tensorrt import open_engine


def absence(target: Target) -> str | None:
    """Why there is no such GPU, or no TensorRT and torch that have kernels for it."""
    if wrong := preflight.absence(target):
        return wrong
    gpu = preflight.here()
    return compatibility.tensorrt_lacks(gpu) or compatibility.torch_lacks(gpu)


def open_session(artifact: Artifact, target: Target) -> EngineSession:
    """Load a plan. Raises UserError where this GPU or TensorRT didn't build it, or it doesn't fit."""
    return EngineSession(_network(artifact, target))


def open_predictor(artifact: Artifact, target: Target) -> LoadedPredictor:
    """Load a plan as its sessions do, to be asked for logits. Raises UserError where they do."""
    return LoadedPredictor(_network(artifact, target), artifact, target)


def open_profiler(artifact: Artifact, target: Target) -> TrtProfiler:
    """The same plan, each layer timed by TensorRT."""
    import tensorrt

    return profile_engine(open_engine, artifact, target.batch, tensorrt.IProfiler)


def _network(artifact: Artifact, target: Target) -> EngineNetwork:
    import tensorrt as trt

    return EngineNetwork(open_engine, artifact, target, {"tensorrt": trt.__version__})


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
