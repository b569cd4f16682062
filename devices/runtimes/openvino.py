"""Runtime `openvino`: OpenVINO on this machine's CPU, one stream, from the ONNX files."""

import importlib.util
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from devices.host.session import HostSession
from devices.options import ThreadOptions, read_options
from devices.predictor import LoadedPredictor
from devices.profilers.openvino import OpenvinoProfiler
from devices.runtime import Runtime
from devices.targets import Target
from exporters.artifact import Artifact
from models.images import synthetic_images
from system.errors import UserError, one_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DEVICE = "CPU"
# Kinds of the nodes of a compiled network that hold nearly all of its arithmetic, in OpenVINO's words.
_HEAVY = ("Convolution", "GroupConvolution", "FullyConnected", "MatMul")
_INTEGERS = ("i8", "u8")


class OpenvinoOptions(ThreadOptions, frozen=True, kw_only=True):
    """How OpenVINO runs on this machine's processor."""

    precision: Annotated[
        Literal["f32", "bf16", "f16"],
        Meta(description="what floating-point layers compute in; OpenVINO itself takes bf16 where the CPU has it"),
    ] = "f32"


def absence(target: Target) -> str | None:
    """Why OpenVINO isn't here."""
    if importlib.util.find_spec("openvino") is None:
        return "no openvino; `make bench-openvino` installs it"
    return None


def open_session(artifact: Artifact, target: Target) -> "HostSession[OpenvinoNetwork]":
    """Load an ONNX file, its dynamic batch fixed to the target's.

    Raises UserError where OpenVINO can't, or where an INT8 file would run in floating point.
    """
    return HostSession(OpenvinoNetwork(artifact, target), artifact, target)


def open_predictor(artifact: Artifact, target: Target) -> LoadedPredictor:
    """Load an ONNX file as its sessions do, to be asked for logits. Raises UserError where they do."""
    return LoadedPredictor(OpenvinoNetwork(artifact, target), artifact, target)


def open_profiler(artifact: Artifact, target: Target) -> OpenvinoProfiler:
    """The same network with OpenVINO's own counters on."""
    network = OpenvinoNetwork(artifact, target, counters=True)
    network.show(synthetic_images(target.batch, artifact.input_shape[-1] or 0))
    return OpenvinoProfiler(network.request, artifact)


class OpenvinoNetwork:
    """One compiled network and one request; `infer` runs the batch that it was shown."""

    def __init__(self, artifact: Artifact, target: Target, *, counters: bool = False) -> None:
        options = read_options(target, OpenvinoOptions)
        told = {
            # One inference at a time: one stream, all threads in it.
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": options.thread_count,
            "INFERENCE_PRECISION_HINT": options.precision,
            "PERF_COUNT": counters,
        }
        try:
            network = _core().read_model(artifact.path)
            network.reshape([target.batch, *artifact.input_shape[1:]])
            compiled = _core().compile_model(network, _DEVICE, told)
        except RuntimeError as error:
            raise UserError("OpenVINO can't load the network", found=_reason(error), fix="export it again") from error
        self.ran_on: dict[str, str | int] = _ran_on(compiled)
        if target.precision.startswith("int8"):
            _refuse_floating_point(compiled, target)
        self._new_tensor = _library().Tensor
        self.request: Any = compiled.create_infer_request()
        self.infer: Callable[[], object] = self.request.infer

    def show(self, images: "NDArray[np.float32]") -> None:
        """Bind images (N, 3, H, W), N being the target's batch."""
        self.request.set_input_tensor(self._new_tensor(images, shared_memory=False))

    def logits(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits (N, classes) of these images, float32."""
        import numpy as np

        self.show(images)
        self.infer()
        return np.array(self.request.get_output_tensor().data, dtype=np.float32)

    def close(self) -> None:
        """Free the network's memory."""
        del self.infer, self.request


@cache
def _core() -> Any:
    """OpenVINO's entry point, one for this process.

    Each `Core` gives its thread a stack for signal handlers and takes it away when it ends. Where two overlap, the
    thread is left with one whose memory is gone, and the next signal that has a handler kills the process.
    """
    return _library().Core()


def _library() -> Any:
    """The module, without its telemetry: that writes into the home folder, and reports each import to the network."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _ran_on(compiled: Any) -> dict[str, str | int]:
    """Where the compiled network truly runs, by what it says itself."""
    heavy = _heavy_layers(compiled)
    return {
        "device": ", ".join(compiled.get_property("EXECUTION_DEVICES")),
        "threads": int(compiled.get_property("INFERENCE_NUM_THREADS")),
        "streams": int(compiled.get_property("NUM_STREAMS")),
        "precision": compiled.get_property("INFERENCE_PRECISION_HINT").to_string(),
        "layers": ", ".join(f"{count} in {name}" for name, count in sorted(heavy.items())),
    }


def _heavy_layers(compiled: Any) -> Counter[str]:
    """How many convolutions and matrix products run in which precision, by the network as it was compiled."""
    facts = [node.get_rt_info() for node in compiled.get_runtime_model().get_ops()]
    return Counter(str(each["runtimePrecision"].value) for each in facts if each["layerType"].value in _HEAVY)


def _refuse_floating_point(compiled: Any, target: Target) -> None:
    """Raise UserError where no convolution or matrix product of an integer target runs in integers."""
    heavy = _heavy_layers(compiled)
    if not any(name in _INTEGERS for name in heavy):
        found = ", ".join(heavy) or "no such layer"
        raise UserError(f"{target.name} must run in integers", found=found, fix="measure target openvino instead")


def _reason(error: RuntimeError) -> str:
    """What is wrong: the last line of those that OpenVINO gives, the first ones being its own files."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return one_line(lines[-1] if lines else error, 200)


RUNTIME = Runtime(
    absence=absence,
    open_session=open_session,
    options=OpenvinoOptions,
    open_profiler=open_profiler,
    open_predictor=open_predictor,
)
