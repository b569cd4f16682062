"""Predictors of any target, in this process or in one of their own."""

import math
import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, cast

from devices.predictor import Predictor, check_images, images_shape
from devices.runtime import runtime_of
from devices.session import DeviceFull
from devices.targets import Target
from devices.worker import NoRoom, SessionLost, Worker, answer_each
from exporters.artifact import Artifact
from system.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def predictor_of(artifact: Artifact, target: Target) -> Predictor:
    """Load an artifact on a target in this process.

    Raises UserError where it can't be loaded, or its runtime gives no logits.
    """
    runtime = runtime_of(target)
    if runtime.open_predictor is None:
        found = f"runtime {target.runtime} only times them"
        raise UserError(f"no logits from target {target.name}", found=found, fix="choose a target of another runtime")
    return runtime.open_predictor(artifact, target)


def open_predictor(artifact: Artifact, target: Target, *, timeout_s: float) -> Predictor:
    """Load an artifact on a target, in a child process unless the runtime says otherwise.

    Raises SessionLost where it can't be loaded, whatever the cause: NoRoom where the device's memory is full. Its
    `predict` raises SessionLost where the device or that process fails, or gives no answer within `timeout_s`.
    """
    if not runtime_of(target).in_process:
        return PredictorWorker(artifact, target, timeout_s=timeout_s)
    try:
        return _Here(predictor_of(artifact, target), images_shape(artifact, target))
    except DeviceFull as error:
        raise NoRoom(str(error)) from error
    except UserError as error:
        raise SessionLost(str(error)) from error


class PredictorWorker(Worker):
    """A Predictor that another process holds; it reads the images in memory that both share."""

    def __init__(self, artifact: Artifact, target: Target, *, timeout_s: float) -> None:
        self._shape = images_shape(artifact, target)
        # A file without a name, in /dev/shm where it has room: nothing of it is left, however the processes end.
        self._memory = multiprocessing.get_context("spawn").RawArray("f", math.prod(self._shape))
        super().__init__(serve, artifact, target, self._memory, timeout_s=timeout_s)
        self.ran_on = cast(dict[str, str | int], self._introduction)

    def predict(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits of one batch.

        Raises UserError where the images are of another shape; SessionLost where that process died, failed or hung.
        """
        check_images(images, self._shape)
        _array(self._memory, self._shape)[:] = images
        return cast("NDArray[np.float32]", self._ask(None))


class _Here:
    """A Predictor in this process that fails as one in another does."""

    def __init__(self, predictor: Predictor, shape: tuple[int, int, int, int]) -> None:
        self._predictor, self._shape = predictor, shape
        self.ran_on, self.close = predictor.ran_on, predictor.close

    def predict(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits of one batch; raises what a PredictorWorker does."""
        check_images(images, self._shape)
        try:
            return self._predictor.predict(images)
        except UserError as error:
            raise SessionLost(str(error)) from error


def serve(pipe: Connection, artifact: Artifact, target: Target, memory: Any) -> None:
    """Hold a predictor in this process, and ask it as the other end of the pipe asks, until that end is closed."""
    answer_each(pipe, _answers(pipe, artifact, target, memory))


def _answers(pipe: Connection, artifact: Artifact, target: Target, memory: Any) -> Iterator[object]:
    """Where the predictor runs, then the logits of each batch that lies in the shared memory."""
    predictor = predictor_of(artifact, target)
    yield predictor.ran_on
    images = _array(memory, images_shape(artifact, target))
    while True:
        pipe.recv()
        yield predictor.predict(images)


def _array(memory: Any, shape: tuple[int, ...]) -> "NDArray[np.float32]":
    """Shared memory as an array."""
    import numpy as np

    return np.frombuffer(memory, dtype=np.float32).reshape(shape)
