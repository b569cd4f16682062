"""Runtime `litert`: the LiteRT interpreter with XNNPACK on this machine's CPU."""

import importlib.util
from pathlib import Path
from typing import Any, NoReturn

from devices.host.clock import NAME, time_each
from devices.options import ThreadOptions, read_options
from devices.runtime import Runtime
from devices.samples import Samples
from devices.targets import Target
from exporters.artifact import Artifact
from exporters.to_tflite import input_of, load
from models.images import synthetic_images
from system.errors import UserError


def absence(target: Target) -> str | None:
    """Why LiteRT isn't here."""
    if importlib.util.find_spec("ai_edge_litert") is None:
        return "no ai-edge-litert; pip install '.[phone]'"
    return None


def open_session(artifact: Artifact, target: Target) -> "LitertSession":
    """Load a TFLite file.

    Raises UserError where its batch is not the target's, or where XNNPACK took no part of it.
    """
    return LitertSession(artifact, target)


def open_profiler(artifact: Artifact, target: Target) -> NoReturn:
    """Raises UserError: LiteRT's Python interpreter doesn't tell what an operator took."""
    fix = "profile target cpu, or a phone, whose benchmark_model tells"
    raise UserError(f"no profiler for target {target.name}", found="LiteRT's Python interpreter has none", fix=fix)


class LitertSession:
    """One interpreter, its input set once."""

    clock = NAME
    aggregates = False

    def __init__(self, artifact: Artifact, target: Target) -> None:
        threads = read_options(target, ThreadOptions).thread_count
        self._interpreter = load(Path(artifact.path), threads)
        (given,) = self._interpreter.get_input_details()
        if int(given["shape"][0]) != target.batch:
            raise UserError("wrong batch", found=str(given["shape"][0]), fix=f"export with --batch {target.batch}")
        images = synthetic_images(target.batch, int(given["shape"][1]))
        self._interpreter.set_tensor(given["index"], input_of(given, images))
        self.ran_on: dict[str, str | int] = {"delegate": _delegate(self._interpreter), "threads": threads}

    def run(self, count: int) -> Samples:
        """The seconds of `count` inferences of one batch."""
        return time_each(self._interpreter.invoke, count)

    def close(self) -> None:
        """Free the interpreter's memory."""
        del self._interpreter


def _delegate(interpreter: Any) -> str:
    """What truly runs the file: XNNPACK, and in how many pieces it had to be cut."""
    pieces = sum(op["op_name"] == "DELEGATE" for op in interpreter._get_ops_details())
    if not pieces:
        raise UserError("must run on XNNPACK", found="plain TFLite kernels", fix="install the official ai-edge-litert")
    return f"XNNPACK, {pieces} piece" + ("s" if pieces > 1 else "")


RUNTIME = Runtime(absence=absence, open_session=open_session, options=ThreadOptions, open_profiler=open_profiler)
