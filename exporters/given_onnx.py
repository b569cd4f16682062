"""An ONNX file from outside as this package's own are: one file, its input, output and batch under their names."""

from pathlib import Path
from typing import TYPE_CHECKING

from exporters.artifact import Job
from exporters.onnx_run import BATCH, INPUT, OUTPUT, run_file
from models.given.factory import NetworkError
from models.given.file import GivenFile
from models.images import synthetic_images
from system.errors import one_line

if TYPE_CHECKING:
    from onnx import GraphProto


def write_given(job: Job, file: GivenFile, path: Path) -> None:
    """Write `file`, which the network of `job` came as, to `path`; only names differ, and sizes where it has none.

    Raises NetworkError where ONNX Runtime can't load or run it, or its logits are not finite.
    """
    import onnx

    model = onnx.load(file.path)  # with the weights that lie beside it
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    del graph.input[:]  # before opset 9 it holds the weights too
    graph.input.extend(inputs)
    _rename(graph, inputs[0].name, INPUT)
    _rename(graph, graph.output[0].name, OUTPUT)
    _declare_sizes(graph, file.batch, job.model.resolution_px)
    _name_nodes(graph)
    onnx.save(model, str(path))
    _try(job, path)


def _rename(graph: "GraphProto", old: str, new: str) -> None:
    """Give a tensor another name; one that has that name already gets the old one."""
    swapped = {old: new, new: old}
    for names in (*(node.input for node in graph.node), *(node.output for node in graph.node)):
        for index, name in enumerate(names):
            names[index] = swapped.get(name, name)
    for value in (*graph.input, *graph.output, *graph.initializer, *graph.value_info):
        value.name = swapped.get(value.name, value.name)


def _name_nodes(graph: "GraphProto") -> None:
    """Give nodes that have no name, or another's, one of their own: quantizers tell nodes apart by it."""
    names = set[str]()
    for number, node in enumerate(graph.node):
        if not node.name or node.name in names:
            node.name = f"{node.name or node.op_type}_{number}_given"
        names.add(node.name)


def _declare_sizes(graph: "GraphProto", batch: int | None, resolution_px: int) -> None:
    """Declare a dynamic batch under the name that runtimes fix it by, and a dynamic height and width as asked for."""
    given, produced = graph.input[0].type.tensor_type.shape.dim, graph.output[0].type.tensor_type.shape.dim
    if batch is None:
        for dim in (*given[:1], *produced[:1]):
            dim.dim_param = BATCH
    for dim in given[2:]:
        dim.dim_value = resolution_px
    del graph.value_info[:]  # shapes in which the former names stand


def _try(job: Job, path: Path) -> None:
    """Run it once: what can't run, or computes NaN, is no network to be timed."""
    import numpy as np

    name = job.model.name
    try:
        logits = run_file(path)(synthetic_images(job.model.batch or 2, job.model.resolution_px, seed=1))
    except Exception as error:  # ONNX Runtime's errors share no base
        what, fix = f"ONNX Runtime can't run {name}", "give a file of an opset and operators that it has"
        raise NetworkError(what, found=one_line(error, 200), fix=fix) from error
    if not np.isfinite(logits).all():
        raise NetworkError(f"{name} gives no logits", found="NaN or infinity", fix="give one that computes numbers")
