"""An ONNX file from outside, as its own header describes it."""

from pathlib import Path
from typing import Any

from models.given.file import CHANNELS, ONE_IMAGE, GivenFile, image_side_px, with_digest
from system.errors import UserError, one_line

_IMAGE_RANK = 4
_DOMAINS = ("", "ai.onnx", "com.microsoft")  # whose operators ONNX Runtime has
_MOST_BYTES = 2**31 - 1  # of a protobuf, which an ONNX file is


def read_onnx(path: Path) -> GivenFile:
    """What an ONNX file is. Its weights may lie beside it, within its folder.

    Raises UserError where it can't be read, has more than one input or output, or its input is no batch of images.
    """
    import onnx

    try:
        model = onnx.load(str(path), load_external_data=False)
    except OSError as error:
        raise UserError(f"can't read {path}", found=error.strerror or str(error), fix="give an ONNX file") from error
    except Exception as error:  # protobuf's errors share no base
        raise UserError(f"{path} is no ONNX file", found=one_line(error, 120), fix="give one") from error
    graph = model.graph
    given, produced = _ends(graph, path)
    _refuse_custom_operators(model, path)
    beside = external_files(graph, path)
    shape = _sizes(given)
    if len(shape) != _IMAGE_RANK or shape[1] != CHANNELS:
        raise UserError(f"the input of {path} is no batch of images", found=_described(given, shape), fix=ONE_IMAGE)
    classes = _sizes(produced)
    file = GivenFile(
        path=str(path),
        **_kind(graph, given, path),
        batch=shape[0],
        resolution_px=image_side_px(shape[2], shape[3], path),
        classes=classes[1] if len(classes) == 2 else None,
    )
    return with_digest(file, *beside)


def external_files(graph: Any, path: Path) -> list[Path]:
    """The files that hold weights of the graph beside its own. Raises UserError where one is missing or elsewhere."""
    names = {entry.value for tensor in graph.initializer for entry in tensor.external_data if entry.key == "location"}
    folder = path.resolve().parent
    files = []
    for name in sorted(names):
        file = folder / name
        if not _is_within(file, folder):
            raise UserError(
                f"{path} has weights outside its folder", found=one_line(name, 120), fix="save them in that folder"
            )
        if not _is_file(file):
            raise UserError(f"{path} lacks its weights", found=f"no {one_line(name, 120)} beside it", fix="add it")
        files.append(file)
    if (size := sum(file.stat().st_size for file in files) + path.stat().st_size) > _MOST_BYTES:
        found, fix = f"{size / 1e9:.1f} GB with its weights", "only files of up to 2 GB can be exported"
        raise UserError(f"{path} is too large", found=found, fix=fix)
    return files


def _is_within(file: Path, folder: Path) -> bool:
    try:
        return file.resolve().is_relative_to(folder)
    except (OSError, ValueError):  # no name that a system takes
        return False


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # too long a name
        return False


def _ends(graph: Any, path: Path) -> tuple[Any, Any]:
    """The one input and the one output; weights may be inputs too, of which files before opset 9 are full."""
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    for what, values in (("input", inputs), ("output", graph.output)):
        if len(values) != 1:
            names = ", ".join(one_line(value.name, 40) for value in values[:4]) or "none"
            raise UserError(f"{path} has {len(values)} {what}s", found=names, fix=f"give a network with one {what}")
    return inputs[0], graph.output[0]


def _refuse_custom_operators(model: Any, path: Path) -> None:
    own = {(function.domain, function.name) for function in model.functions}
    custom = {
        f"{node.domain}.{node.op_type}"
        for node in model.graph.node
        if node.domain not in _DOMAINS and (node.domain, node.op_type) not in own
    }
    if custom:
        found = ", ".join(one_line(name, 60) for name in sorted(custom)[:4])
        raise UserError(f"{path} has custom operators", found=found, fix="give a network of ONNX's own operators")


def _kind(graph: Any, given: Any, path: Path) -> dict[str, Any]:
    """The format and precisions of the exporters that the file is of: integers where it holds Q/DQ pairs."""
    from onnx import TensorProto

    if any(node.op_type == "QuantizeLinear" for node in graph.node):
        return {"format": "onnx_int8", "precisions": ("int8", "int8-cpu")}
    kinds = {TensorProto.FLOAT: "fp32", TensorProto.FLOAT16: "fp16"}
    kind = given.type.tensor_type.elem_type
    if kind not in kinds:
        named = {number: name for name, number in TensorProto.DataType.items()}
        found = named.get(kind, f"values of type {kind}, which ONNX doesn't know")
        raise UserError(f"the input of {path} is no batch of images", found=found, fix="give one of FLOAT or FLOAT16")
    return {"format": "onnx", "precisions": (kinds[kind],)}


def _sizes(value: Any) -> list[int | None]:
    """The shape of an input or output; None for a size that is no number."""
    return [
        dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None
        for dim in value.type.tensor_type.shape.dim
    ]


def _described(value: Any, shape: list[int | None]) -> str:
    return f"{one_line(value.name, 40)} of shape ({', '.join(str(size or 'any') for size in shape)})"
