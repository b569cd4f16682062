"""A TFLite file from outside, as its flatbuffer describes it."""

from pathlib import Path
from typing import Any

from models.given.file import CHANNELS, ONE_IMAGE, GivenFile, image_side_px, with_digest
from system.errors import UserError, one_line

_IDENTIFIER = b"TFL3"
_RANK = 4


def read_tflite(path: Path) -> GivenFile:
    """What a TFLite file is. Raises UserError where it can't be read, or its input is no batch of images."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"can't read {path}", found=error.strerror or str(error), fix="give a TFLite file") from error
    if content[4:8] != _IDENTIFIER:
        raise UserError(f"{path} is no TFLite file", found=f"it begins {content[:8]!r}", fix="give one")
    try:
        graph = _graph(content)
        file = _described(path, graph)
    except UserError:
        raise
    except Exception as error:  # a damaged flatbuffer: its reader raises all kinds
        raise UserError(f"{path} is no TFLite file", found=one_line(error, 120), fix="give one") from error
    return with_digest(file)


def _graph(content: bytes) -> Any:
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError as error:
        fix = "pip install '.[phone]'"
        raise UserError("nothing here reads TFLite files", found=one_line(error, 80), fix=fix) from error
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0)).subgraphs[0]


def _described(path: Path, graph: Any) -> GivenFile:
    for what, values in (("input", graph.inputs), ("output", graph.outputs)):
        if len(values) != 1:
            found = f"{len(values)}"
            raise UserError(f"{path} has not one {what}", found=found, fix=f"give a network with one {what}")
    given, produced = (graph.tensors[int(ends[0])] for ends in (graph.inputs, graph.outputs))
    shape, signature = _sizes(given.shape), _sizes(given.shapeSignature)
    if len(shape) != _RANK or CHANNELS not in (shape[1], shape[3]):
        raise UserError(f"the input of {path} is no batch of images", found=f"shape {tuple(shape)}", fix=ONE_IMAGE)
    if -1 in signature:
        found, fix = f"shape {tuple(signature)}", "convert it with fixed sizes: LiteRT times one shape"
        raise UserError(f"{path} has sizes that are not fixed", found=found, fix=fix)
    height, width = shape[1:3] if shape[3] == CHANNELS else shape[2:4]
    outputs = _sizes(produced.shape)
    return GivenFile(
        path=str(path),
        format="tflite",
        precisions=("int8",) if _has_integer_activations(graph) else ("fp32",),
        batch=shape[0],
        resolution_px=image_side_px(height, width, path),
        classes=outputs[1] if len(outputs) == 2 else None,
    )


def _sizes(sizes: Any) -> list[int]:
    return [] if sizes is None else [int(size) for size in sizes]


def _has_integer_activations(graph: Any) -> bool:
    """Whether convolutions or matrix products compute with integers, rather than with weights that are stored so."""
    from ai_edge_litert.schema_py_generated import TensorType

    integer = (TensorType.INT8, TensorType.UINT8, TensorType.INT16)
    return any(
        graph.tensors[int(output)].type in integer and graph.tensors[int(output)].quantization is not None
        for operator in graph.operators
        for output in operator.outputs
    )
