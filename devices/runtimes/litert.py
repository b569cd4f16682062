"""Runtime `litert`: the LiteRT interpreter with XNNPACK on this machine's CPU."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from devices.host.session import HostSession
from devices.options import ThreadOptions, read_options
from devices.predictor import LoadedPredictor
from devices.runtime import Runtime
from devices.targets import Target
from exporters.artifact import Artifact
from exporters.tflite_run import input_of, load, output_of
from system.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def absence(target: Target) -> str | None:
    """Why LiteRT isn't here."""
    if importlib.util.find_spec("ai_edge_litert") is None:
        return "no ai-edge-litert; `make bench-cpu-tflite` installs it"
    return None


def open_session(artifact: Artifact, target: Target) -> "HostSession[LitertNetwork]":
    """Load a TFLite file.

    Raises UserError where its batch is not the target's, or where XNNPACK took no part of it.
    """
    return HostSession(LitertNetwork(artifact, target), artifact, target)


def open_predictor(artifact: Artifact, target: Target) -> LoadedPredictor:
    """Load a TFLite file as its sessions do, to be asked for logits. Raises UserError where they do."""
    return LoadedPredictor(LitertNetwork(artifact, target), artifact, target)


def open_profiler(artifact: Artifact, target: Target) -> NoReturn:
    """Raises UserError: LiteRT's Python interpreter doesn't tell what an operator took."""
    fix = "profile target cpu, or a phone, whose benchmark_model tells"
    raise UserError(f"no profiler for target {target.name}", found="LiteRT's Python interpreter has none", fix=fix)


class LitertNetwork:
    """One interpreter; `infer` runs the batch that it was shown."""

    def __init__(self, artifact: Artifact, target: Target) -> None:
        threads = read_options(target, ThreadOptions).thread_count
        self._interpreter = load(Path(artifact.path), threads)
        (self._given,), (self._produced,) = (
            self._interpreter.get_input_details(),
            self._interpreter.get_output_details(),
        )
        found = int(self._given["shape"][0])
        if found != target.batch:
            raise UserError("wrong batch", found=str(found), fix=f"export with --batch {target.batch}")
        self.ran_on: dict[str, str | int] = {"delegate": _delegate(self._interpreter), "threads": threads}
        self.infer: Callable[[], object] = self._interpreter.invoke

    def show(self, images: "NDArray[np.float32]") -> None:
        """Set the input to images (N, 3, H, W), N being the file's batch: NHWC, quantized where it is an integer."""
        self._interpreter.set_tensor(self._given["index"], input_of(self._given, images))

    def logits(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits (N, classes) of these images, float32."""
        self.show(images)
        self.infer()
        return output_of(self._produced, self._interpreter.get_tensor(self._produced["index"]))

    def close(self) -> None:
        """Free the interpreter's memory."""
        del self.infer, self._interpreter


def _delegate(interpreter: Any) -> str:
    """What truly runs the file: XNNPACK, and in how many pieces it had to be cut."""
    pieces = sum(op["op_name"] == "DELEGATE" for op in interpreter._get_ops_details())
    if not pieces:
        raise UserError("must run on XNNPACK", found="plain TFLite kernels", fix="install the official ai-edge-litert")
    return f"XNNPACK, {pieces} piece" + ("s" if pieces > 1 else "")


RUNTIME = Runtime(
    absence=absence,
    open_session=open_session,
    options=ThreadOptions,
    open_profiler=open_profiler,
    open_predictor=open_predictor,
)
