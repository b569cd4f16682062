"""Networks that are not of the zoo, by their source: `KIND:WHAT`."""

from collections.abc import Callable
from pathlib import Path

from models.given.factory import check_factory
from models.given.file import GivenFile
from models.model import NO_FAMILY, Model
from models.structure import parse_structure
from models.timm_networks import timm_configuration
from system.errors import UserError

_DEFAULT_PX = 224


def read_source(text: str, resolution_px: int | None) -> Model | None:
    """The network that a source describes; None where `text` is no source. `resolution_px` None takes the network's.

    `zennet:STRUCTURE`, `zennet-se:STRUCTURE` (squeeze-excite), `timm:NAME`, `torch:MODULE:FUNCTION`, and the files
    `pt2:PATH`, `onnx:PATH` and `tflite:PATH`. Raises UserError where the source can't be read.
    """
    kind, colon, spec = text.partition(":")
    if not colon:
        return None
    name = text if resolution_px is None else f"{text}@{resolution_px}"
    if kind in _FILES:
        file = _FILES[kind](Path(spec))
        return Model(name, NO_FAMILY, _resolution_px(file, resolution_px), text, file=file)
    if kind not in _CHECKS:
        return None
    _CHECKS[kind](spec)  # now, rather than in the middle of a sweep
    return Model(name, NO_FAMILY, resolution_px or _default_px(kind, spec), text)


def _resolution_px(file: GivenFile, asked_px: int | None) -> int:
    if file.resolution_px is None:
        return asked_px or _DEFAULT_PX
    if asked_px not in {None, file.resolution_px}:
        fix = f"leave @{asked_px} out"
        raise UserError(f"{file.path} takes images of one size", found=f"{file.resolution_px} px", fix=fix)
    return file.resolution_px


def _default_px(kind: str, spec: str) -> int:
    """The resolution of timm's own default weights; 224 of the others."""
    if kind != "timm":
        return _DEFAULT_PX
    try:
        configuration = timm_configuration(spec)
    except UserError:  # as where timm has no such network: said when it is built
        return _DEFAULT_PX
    return configuration.input_size[-1] if configuration else _DEFAULT_PX


def _read_onnx(path: Path) -> GivenFile:
    from models.given.onnx_file import read_onnx

    return read_onnx(path)


def _read_tflite(path: Path) -> GivenFile:
    from models.given.tflite_file import read_tflite

    return read_tflite(path)


def _read_program(path: Path) -> GivenFile:
    from models.given.program import read_program

    return read_program(path)


_FILES: dict[str, Callable[[Path], GivenFile]] = {"pt2": _read_program, "onnx": _read_onnx, "tflite": _read_tflite}
_CHECKS: dict[str, Callable[[str], object]] = {
    "zennet": parse_structure,
    "zennet-se": parse_structure,
    "timm": lambda name: None,  # checked when the network is built: importing timm takes a second
    "torch": check_factory,
}
