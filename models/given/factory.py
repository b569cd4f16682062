"""A torch module that a function of the user's own code makes: `torch:MODULE:FUNCTION`."""

import functools
import hashlib
import importlib
import inspect
import multiprocessing
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, Any

from system.errors import UserError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

_FORM = "torch:MODULE:FUNCTION, such as torch:my_networks:small@224"


class NetworkError(UserError):
    """A network that can't be made or measured; the others of a sweep can."""

    @classmethod
    def saying(cls, line: str) -> "NetworkError":
        """The error of another process, by its line."""
        error = cls.__new__(cls)
        error.args = (line,)
        return error


def check_factory(spec: str) -> None:
    """Raises UserError where `MODULE:FUNCTION` can't be the name of a function; nothing is imported."""
    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*", spec):
        raise UserError("unreadable name of a function", found=repr(spec), fix=f"give {_FORM}")


def made_by(spec: str) -> "nn.Module":
    """The module that a function without arguments returns: in FP32, on the CPU, with the weights that it has then.

    The working directory is searched for the user's modules first. Random weights are the same on every call: torch's
    generator is seeded. Raises NetworkError where the function can't be found, fails, or returns something else.
    """
    import torch
    from torch import nn

    function = _function(spec)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            made = function()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # the user's code: it may also exit
            raise NetworkError(f"torch:{spec} fails", found=_said(error), fix="mend the function") from error
    if not isinstance(made, nn.Module):
        raise NetworkError(
            f"torch:{spec} makes no network", found=f"a {type(made).__name__}", fix="return an nn.Module"
        )
    return made.to("cpu").float()


@functools.lru_cache(maxsize=8)
def content_of(spec: str, resolution_px: int) -> str:
    """A hexadecimal digest of what a function makes: the file that the function is in, the weights, and the operations
    that an image goes through, with their shapes.

    The function runs in a process of its own, unless this is one: whatever it does costs its network alone. Raises
    NetworkError where it makes no network, or one that takes no images of that size or gives no tensor of logits.
    """
    if multiprocessing.parent_process() is not None:
        return _fingerprint(spec, resolution_px)
    with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as process:
        try:
            digest, said = process.submit(_fingerprint_or_error, spec, resolution_px).result()
        except BrokenProcessPool as error:
            found, fix = "it ended without an answer, most likely out of memory", "free memory, or mend the function"
            raise NetworkError(f"the process that calls torch:{spec}", found=found, fix=fix) from error
    if said:
        raise NetworkError.saying(said)
    return digest


def _fingerprint_or_error(spec: str, resolution_px: int) -> tuple[str, str]:
    """The digest, or the line of the error: what an exception is made from doesn't go through a pipe."""
    try:
        return _fingerprint(spec, resolution_px), ""
    except NetworkError as error:
        return "", str(error)


def _fingerprint(spec: str, resolution_px: int) -> str:
    import torch

    module = made_by(spec).eval()
    digest = hashlib.sha256()
    if source := inspect.getsourcefile(_function(spec)):
        digest.update(Path(source).read_bytes())
    for name, tensor in module.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    for operation in _operations(f"torch:{spec}", module, resolution_px):
        digest.update(operation.encode())
    return digest.hexdigest()


def _operations(name: str, module: "nn.Module", resolution_px: int) -> list[str]:
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    operations = []

    class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            plain = torch.utils._pytree.tree_map_only(torch.Tensor, lambda each: tuple(each.shape), (args, kwargs))
            operations.append(f"{func} {plain}")
            return func(*args, **(kwargs or {}))

    images = torch.zeros(2, 3, resolution_px, resolution_px)
    try:
        with torch.inference_mode(), Recorder():  # type: ignore[no-untyped-call]
            logits = module(images)
    except Exception as error:  # the user's code
        what = f"{name} takes no images of {resolution_px} px"
        raise NetworkError(what, found=_said(error), fix="give its resolution behind an @") from error
    if not isinstance(logits, torch.Tensor) or logits.ndim < 2 or logits.shape[0] != len(images):
        found = f"shape {tuple(logits.shape)}" if isinstance(logits, torch.Tensor) else f"a {type(logits).__name__}"
        raise NetworkError(f"{name} gives no logits", found=found, fix="return one tensor (N, classes) of N images")
    return operations


def _function(spec: str) -> "Callable[[], object]":
    module, _, name = spec.partition(":")
    _search_working_directory()
    try:
        imported = importlib.import_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever the user's module does when it is imported
        raise NetworkError(f"can't import {module}", found=_said(error), fix=f"give {_FORM}") from error
    if (found := getattr(imported, name, None)) is None:
        raise NetworkError(f"no torch:{spec}", found=f"no {name} in {module}", fix=f"give {_FORM}")
    if not callable(found):
        raise NetworkError(f"torch:{spec} is no function", found=f"a {type(found).__name__}", fix=f"give {_FORM}")
    return found  # type: ignore[no-any-return]


def _search_working_directory() -> None:
    """Find the user's modules there, now and while the function runs, as `python -m` does."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {one_line(error, 160)}"
