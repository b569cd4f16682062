"""Runtime `executorch`: ExecuTorch with XNNPACK on this machine's CPU."""

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from devices.host.session import HostSession
from devices.options import ThreadOptions, read_options
from devices.predictor import LoadedPredictor
from devices.runtime import Runtime
from devices.targets import Target
from exporters import executorch_run
from exporters.artifact import Artifact
from system.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def absence(target: Target) -> str | None:
    """Why ExecuTorch isn't here."""
    return executorch_run.absence()


def open_session(artifact: Artifact, target: Target) -> "HostSession[ExecutorchNetwork]":
    """Load a program. Raises UserError where its batch is not the target's, or where ExecuTorch can't load it."""
    return HostSession(ExecutorchNetwork(artifact, target), artifact, target)


def open_predictor(artifact: Artifact, target: Target) -> LoadedPredictor:
    """Load a program as its sessions do, to be asked for logits. Raises UserError where they do."""
    return LoadedPredictor(ExecutorchNetwork(artifact, target), artifact, target)


def open_profiler(artifact: Artifact, target: Target) -> NoReturn:
    """Raises UserError: to ExecuTorch the whole network is one call of XNNPACK."""
    found = "ExecuTorch sees one call of XNNPACK"
    raise UserError(f"no profiler for target {target.name}", found=found, fix="profile target cpu")


class ExecutorchNetwork:
    """One loaded program; `infer` runs the batch that it was shown."""

    def __init__(self, artifact: Artifact, target: Target) -> None:
        threads = read_options(target, ThreadOptions).thread_count
        self._method = executorch_run.load(Path(artifact.path), threads)
        found = executorch_run.batch_of(self._method)
        if found != target.batch:
            raise UserError("wrong batch", found=str(found), fix=f"export with --batch {target.batch}")
        self.ran_on: dict[str, str | int] = {"backend": executorch_run.BACKEND, "threads": threads}

    def show(self, images: "NDArray[np.float32]") -> None:
        """Take images (N, 3, H, W), N being the program's batch; they must stay as they are."""
        import torch

        self._inputs = [torch.from_numpy(images)]

    def infer(self) -> object:
        """Run them; returns the outputs, in memory of their own."""
        return self._method.execute(self._inputs)

    def logits(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits (N, classes) of these images, float32."""
        import numpy as np
        import torch

        (values,) = self._method.execute([torch.from_numpy(images)])
        return np.array(values.numpy(), dtype=np.float32)

    def close(self) -> None:
        """Free the program's memory."""
        del self._method


RUNTIME = Runtime(
    absence=absence,
    open_session=open_session,
    options=ThreadOptions,
    open_profiler=open_profiler,
    open_predictor=open_predictor,
)
