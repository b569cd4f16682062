"""Per-layer times by TensorRT's own profiler, each traced back to the module of the network it came from."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, SupportsFloat

from devices.nvidia.cuda_events import naming_full_memory, time_each
from devices.profilers.operators import Operator, mean_of_faster
from devices.profilers.ort import scopes_of
from devices.samples import Samples
from exporters.artifact import Artifact
from exporters.cache import obtain_source
from exporters.input_images import input_images
from exporters.tensorrt_engine import Engine

# During the first batches the GPU's clocks still rise.
_UNCOUNTED = 3
_SEVERAL = "several modules in one kernel"
# TensorRT names a layer after the ONNX nodes that are in it: "a + b", "PWN(a)", "{ForeignNode[a...b]}".
_PART = re.compile(r"\.\.\.|[\s,+()\[\]{}|]+")
_KINDS = (
    ("Reformatting", re.compile(r"\bReformatting CopyNode\b|^Reformat")),
    ("fused region", re.compile(r"\bForeignNode\b|^__my")),
    ("pointwise", re.compile(r"^PWN\(")),
)


def profile_engine(
    open_engine: Callable[[Path], Engine], artifact: Artifact, batch: int, interface: Any
) -> "TrtProfiler":
    """A plan as `open_engine` loads it, each layer timed by its library, whose IProfiler is `interface`.

    Layers are traced to modules by the ONNX file that the plan was built from.
    """
    import torch

    def time_one(queue: Callable[[], object]) -> Samples:
        return time_each(queue, 1, cuda=torch.cuda, stream=engine.stream, read=dict)

    with naming_full_memory(batch):
        engine = open_engine(Path(artifact.path))
        engine.show(input_images(artifact, batch))
        return TrtProfiler(engine, time_one, scopes_of(Path(obtain_source(artifact).path)), interface)


class TrtProfiler:
    """An engine whose context reports what each layer took; `time_each` is devices.nvidia.cuda_events' with its GPU.

    While it reports, TensorRT waits for each batch: its latency under the profiler is not that without.
    """

    def __init__(
        self,
        engine: Engine,
        time_each: Callable[[Callable[[], object]], Samples],
        scopes: Mapping[str, str],
        interface: Any,
    ) -> None:
        self._engine, self._time_each, self._scopes = engine, time_each, scopes
        self._runs: list[list[tuple[str, float]]] = []
        self._reporter = _reporter(self._runs, interface)
        engine.report_to(self._reporter)

    def run(self, count: int) -> Samples:
        """The seconds of `count` batches, the profiler's own time in them."""
        seconds: list[float] = []
        for _ in range(count):
            self._runs.append([])
            seconds += self._time_each(self._engine.queue).seconds
        return Samples(seconds=seconds)

    def operators(self) -> list[Operator]:
        """What each layer took."""
        return mean_of_faster([read_layers(run, self._scopes) for run in self._runs[_UNCOUNTED:]])

    def close(self) -> None:
        """Free the GPU's memory."""
        self._engine.close()


def _reporter(runs: list[list[tuple[str, float]]], interface: Any) -> Any:
    """TensorRT calls it once a layer and batch; it writes into the last list of `runs`."""

    class Reporter(interface):  # type: ignore[misc] # Any
        def __init__(self) -> None:
            interface.__init__(self)

        def report_layer_time(self, layer_name: str, ms: SupportsFloat) -> None:
            runs[-1].append((layer_name, float(ms)))

    return Reporter()


def read_layers(layers: list[tuple[str, float]], scopes: Mapping[str, str]) -> list[Operator]:
    """The layers of one batch; one that names no node, such as a copy, takes the scope of the one before."""
    operators: list[Operator] = []
    for at, (name, ms) in enumerate(layers):
        before = operators[-1].scope if operators else ""
        scope = _scope(name, scopes, before)
        operators.append(Operator(name=f"{at} {name}", kind=_kind(name), scope=scope, seconds=ms * 1e-3))
    return operators


def _scope(layer: str, scopes: Mapping[str, str], before: str) -> str:
    found = [scopes[part] for part in _PART.split(layer) if part in scopes]
    if not found:
        return before
    # The ends of a region that spans super-blocks belong to none of them.
    return found[0] if len({_top(scope) for scope in found}) == 1 or "..." not in layer else _SEVERAL


def _top(scope: str) -> str:
    return ".".join(scope.split(".")[:2])


def _kind(layer: str) -> str:
    """The kind of a layer by its name, which is all that TensorRT tells its profiler."""
    for kind, pattern in _KINDS:
        if pattern.search(layer):
            return kind
    operator = re.match(r"node_(?:\d+_)?([A-Za-z]+)", layer.partition(" + ")[0].strip())
    return operator[1] if operator else "other"
