"""A torch.export program in a file (`.pt2`): a graph with its weights, without the code that made it."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.given.file import CHANNELS, ONE_IMAGE, GivenFile, image_side_px, with_digest
from system.errors import UserError, one_line

if TYPE_CHECKING:
    from torch import nn

_RANK = 4
_TENSORS_ONLY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"  # read by torch at every load


def read_program(path: Path) -> GivenFile:
    """What an exported program is. Raises UserError where it can't be read, or its input is no batch of images."""
    program = _load(path)
    shapes = [_sizes(program, name) for name in program.graph_signature.user_inputs]
    if len(shapes) != 1 or len(shapes[0]) != _RANK or shapes[0][1] != CHANNELS:
        found = ", ".join(f"({', '.join(str(size or 'any') for size in shape)})" for shape in shapes) or "no input"
        raise UserError(f"the input of {path} is no batch of images", found=found, fix=ONE_IMAGE)
    outputs = [_sizes(program, name) for name in program.graph_signature.user_outputs]
    if len(outputs) != 1:
        raise UserError(f"{path} has {len(outputs)} outputs", found="not one", fix="give a network with one output")
    batch, _, height, width = shapes[0]
    file = GivenFile(
        path=str(path),
        format="pt2",
        precisions=("fp32",),
        batch=batch,
        resolution_px=image_side_px(height, width, path),
        classes=outputs[0][1] if len(outputs[0]) == 2 else None,
    )
    return with_digest(file)


def module_of(path: Path) -> "nn.Module":
    """The program as a module. Raises UserError where the file can't be read."""
    module: nn.Module = _load(path).module()
    return module


def _load(path: Path) -> Any:
    import torch

    try:
        path.stat()
        logging.disable(logging.WARNING)  # torch warns of what is then raised
        with warnings.catch_warnings(), _no_code():
            warnings.simplefilter("ignore")  # and of its own formats
            return torch.export.load(str(path))
    except OSError as error:
        raise UserError(f"can't read {path}", found=error.strerror or str(error), fix="give a .pt2 file") from error
    except Exception as error:  # torch has no error of its own for a damaged archive
        fix = "save one by torch.export.save, with a version of torch that is no newer"
        raise UserError(f"{path} is no exported program", found=one_line(error, 120), fix=fix) from error
    finally:
        logging.disable(logging.NOTSET)


@contextmanager
def _no_code() -> Iterator[None]:
    """Have torch refuse pickled objects that run code; where it can't read a file without them, it would run it."""
    before = os.environ.get(_TENSORS_ONLY)
    os.environ[_TENSORS_ONLY] = "1"
    try:
        yield
    finally:
        os.environ.pop(_TENSORS_ONLY)
        os.environ |= {_TENSORS_ONLY: before} if before is not None else {}


def _sizes(program: Any, name: str) -> list[int | None]:
    """The shape of an input or output; None for a dynamic size."""
    (node,) = (node for node in program.graph.nodes if node.name == name)
    value = node.meta.get("val")
    return [size if isinstance(size, int) else None for size in getattr(value, "shape", ())]
