"""Per-operator times by ONNX Runtime's own profiler, each traced back to the module of the network it came from."""

import ast
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from devices.host.clock import time_each
from devices.profilers.operators import Operator, mean_of_faster
from devices.samples import Samples
from exporters.artifact import Artifact
from exporters.onnx_run import DTYPES, INPUT
from models.images import synthetic_images
from system.errors import UserError, one_line
from system.unreadable import UNREADABLE

# The first inferences still allocate.
_UNCOUNTED = 2
_KERNEL = "_kernel_time"


class _Event(msgspec.Struct):
    cat: str
    name: str
    dur: int  # microseconds
    args: dict[str, Any] = {}


_events = msgspec.json.Decoder(list[_Event])


class OrtProfiler:
    """A session that is profiled from its first inference on."""

    def __init__(self, artifact: Artifact, batch: int, options: Any, provider: str) -> None:
        import onnxruntime

        self._folder = tempfile.TemporaryDirectory()
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(self._folder.name) / "ort")
        self._model = Path(artifact.path)
        self._session = onnxruntime.InferenceSession(artifact.path, options, providers=[provider])
        dtype = DTYPES[self._session.get_inputs()[0].type]
        self._feed = {INPUT: synthetic_images(batch, artifact.input_shape[-1] or 0).astype(dtype)}

    def run(self, count: int) -> Samples:
        """The seconds of `count` inferences of one batch, the profiler's own time in them."""
        return time_each(lambda: self._session.run(None, self._feed), count)

    def operators(self) -> list[Operator]:
        """End profiling and read what each operator took."""
        return read_trace(Path(self._session.end_profiling()).read_bytes(), scopes_of(self._model))

    def close(self) -> None:
        """Free the session's memory and remove its trace."""
        del self._session
        self._folder.cleanup()


def read_trace(trace: bytes, scopes: dict[str, str]) -> list[Operator]:
    """The operators of a trace. Raises UserError where it can't be read."""
    try:
        return read_events(_events.decode(trace), scopes)
    except UNREADABLE as error:
        fix = "profile again, with another version of ONNX Runtime"
        raise UserError("unreadable trace of ONNX Runtime", found=one_line(error, 160), fix=fix) from error


def read_events(events: list[_Event], scopes: dict[str, str]) -> list[Operator]:
    """The operators of a typical inference; one that has no scope takes that of the one before."""
    return mean_of_faster([_operators(run, scopes) for run in _runs(events)[_UNCOUNTED:]])


def _operators(run: list[_Event], scopes: dict[str, str]) -> list[Operator]:
    operators: list[Operator] = []
    for event in run:
        name = event.name.removesuffix(_KERNEL)
        before = operators[-1].scope if operators else ""
        scope = scopes.get(re.sub(r"(_nchwc|_token_\d+)+$", "", name), before)
        kind = str(event.args.get("op_name", "other"))
        operators.append(Operator(name=f"{name} {kind}", kind=kind, scope=scope, seconds=event.dur * 1e-6))
    return operators


def _runs(events: list[_Event]) -> list[list[_Event]]:
    """The kernels of each inference: `model_run` is written when one ends."""
    runs: list[list[_Event]] = [[]]
    for event in events:
        if event.name == "model_run":
            runs.append([])
        elif event.cat == "Node" and event.name.endswith(_KERNEL):
            runs[-1].append(event)
    return [run for run in runs if run]


def scopes_of(model: Path) -> dict[str, str]:
    """The module of each node, by the node's name and by those of its outputs, which fused nodes are named after."""
    import onnx

    graph = onnx.load(model, load_external_data=False).graph
    scopes: dict[str, str] = {}
    for node in graph.node:
        scope = next(_scope(node), "")
        scopes |= dict.fromkeys([node.name, *node.output], scope)
    return scopes


def _scope(node: Any) -> Iterator[str]:
    for entry in node.metadata_props:
        # A list such as ['', 'module_list.0', …, 'relu']: the modules from the outside in, then the operator.
        if entry.key == "pkg.torch.onnx.name_scopes" and (modules := _texts(entry.value)[1:-1]):
            yield modules[-1]


def _texts(value: str) -> list[str]:
    """A list of texts as Python writes it; empty where a file that was given holds anything else."""
    try:
        found = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return []
    return found if isinstance(found, list) and all(isinstance(text, str) for text in found) else []
