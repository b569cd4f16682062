"""ExecuTorch programs (`.pte`) run on the CPU."""

import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporters.in_batches import in_batches
from system.errors import UserError, one_line
from system.silence import silence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BACKEND = "XnnpackBackend"


def absence() -> str | None:
    """Why ExecuTorch isn't here; None where it is."""
    if importlib.util.find_spec("executorch") is None:
        return "no executorch; `make bench-cpu-executorch` installs it into an environment of its own"
    return None


def load(path: Path, threads: int) -> Any:
    """The method `forward` of a program, which `execute([images])` runs by so many threads of this process.

    Raises UserError where ExecuTorch isn't here, has no XNNPACK, or can't read the file.
    """
    if missing := absence():
        raise UserError("no ExecuTorch", found=missing, fix="run it with .venv-executorch/bin/python")
    # It prints what it can't read of this processor, and warns about its own imports.
    with silence(), warnings.catch_warnings(action="ignore"):
        from executorch.extension.pybindings import portable_lib
        from executorch.runtime import Runtime

        runtime = Runtime.get()
        if BACKEND not in runtime.backend_registry.registered_backend_names:
            raise UserError("this executorch has no XNNPACK", found="a build of its own", fix="pip install executorch")
        portable_lib._unsafe_reset_threadpool(threads)
        try:
            return runtime.load_program(path).load_method("forward")
        except RuntimeError as error:
            raise UserError(f"can't load {path.name}", found=one_line(error, 200), fix="export it again") from error


def run_file(path: Path, threads: int = 1) -> "Callable[[NDArray[np.float32]], NDArray[np.float32]]":
    """A function from images (N, 3, H, W) to logits (N, classes), shown as many at a time as the file's batch."""
    import torch

    method = load(path, threads)

    def logits(images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        found: NDArray[np.float32] = method.execute([torch.from_numpy(images)])[0].numpy()
        return found

    return lambda images: in_batches(logits, images, batch_of(method))


def batch_of(method: Any) -> int:
    """The batch that a program was made for."""
    return int(method.metadata.input_tensor_meta(0).sizes()[0])
