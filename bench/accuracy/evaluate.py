"""The evaluating loop: each image is decoded once and shown to every subject that hasn't answered it yet."""

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.accuracy.images import Image
from bench.accuracy.predictions import Prediction, Predictions, predictions_of
from bench.accuracy.subject import Subject
from bench.progress import stage
from devices.predict import open_predictor
from devices.predictor import Predictor
from models.photographs.pool import prepared
from system.machine import usable_cores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NOT_FINITE = "NaN or infinity among its logits"


@dataclass(frozen=True)
class Evaluation:
    """What the subjects answered, in their order, of each image but those `left_out` (reason by name).

    `predicted` counts the answers that were given now, not before; `inference_s` is what each subject took for its own.
    """

    predictions: list[Predictions]
    left_out: dict[str, str]
    predicted: int
    inference_s: list[float]


def evaluate(subjects: Sequence[Subject], images: Sequence[Image], results: Path, *, timeout_s: float) -> Evaluation:
    """Ask every subject of each image; all are of one network. What they answered before is taken from `results`.

    Raises SessionLost where a subject can't go on, and UserError where an image changes meanwhile or an answer can't
    be kept. What was answered until then is kept.
    """
    assert len({subject.how for subject in subjects}) == 1
    paths = [subject.predictions_file(results) for subject in subjects]
    left_out: dict[str, str] = {}
    with ExitStack() as opened:
        asked = {
            path: opened.enter_context(_asked(subject, results, timeout_s))
            for path, subject in dict(zip(paths, subjects, strict=True)).items()  # two may be the same
        }
        # Once again where a subject turns out to run elsewhere than before: then no earlier answer is of this one.
        while pending := [
            image for image in images if image.name not in left_out and _is_lacking(image, asked.values())
        ]:
            left_out |= _ask(list(asked.values()), pending)
    return Evaluation(
        predictions=[asked[path].predictions for path in paths],
        left_out=left_out,
        predicted=sum(one.predicted for one in asked.values()),
        inference_s=[asked[path].inference_s for path in paths],
    )


def top5(logits: "NDArray[np.float32]") -> tuple[int, ...]:
    """The five likeliest classes of one image's logits (classes,), of equal ones the first.

    Empty where a logit isn't finite: such a network has computed nothing that could be right.
    """
    import numpy as np

    if not np.isfinite(logits).all():
        return ()
    return tuple(int(index) for index in np.argsort(-logits, kind="stable")[:5])


def _is_lacking(image: Image, asked: "Iterable[_Asked]") -> bool:
    return any(one.predictions.of(image) is None for one in asked)


def _ask(asked: "Sequence[_Asked]", images: Sequence[Image]) -> dict[str, str]:
    """Show images to all; returns the reason of each that can't be read, by name."""
    left_out = {}
    name, how = asked[0].subject.artifact.model, asked[0].subject.how
    stream = prepared([image.photograph for image in images], how, processes=usable_cores())
    with (
        stage("evaluate", len(images)) as bar,
        ThreadPoolExecutor(max_workers=1) as thread,
        closing(stream),
    ):
        for done, (image, (_, pixels, remark)) in enumerate(zip(images, stream, strict=True), start=1):
            image.refuse_another()
            if pixels is None:
                left_out[image.name] = remark
            else:
                for one in asked:
                    one.show(image, pixels, remark, thread)
            bar.at(done, f"{name}, {done:,} of {len(images):,} images")
        for one in asked:
            one.end(thread)
    return left_out


@contextmanager
def _asked(subject: Subject, results: Path, timeout_s: float) -> "Iterator[_Asked]":
    with predictions_of(subject, results) as predictions:
        asked = _Asked(subject, predictions, timeout_s)
        try:
            yield asked
        finally:
            asked.close()


class _Asked:
    """A subject that is shown images, one batch at a time; it is loaded when it is shown the first.

    A batch is predicted in `thread`, while the next one is gathered; that thread is all subjects', so that no two
    compete for the cores.
    """

    def __init__(self, subject: Subject, predictions: Predictions, timeout_s: float) -> None:
        self.subject, self.predictions = subject, predictions
        self.inference_s, self.predicted = 0.0, 0
        self._timeout_s = timeout_s
        self._predictor: Predictor | None = None
        self._batch: list[tuple[Image, NDArray[np.float32], str]] = []
        self._running: tuple[list[tuple[Image, str]], Future[NDArray[np.float32]]] | None = None

    def show(self, image: Image, pixels: "NDArray[np.float32]", remark: str, thread: ThreadPoolExecutor) -> None:
        """Ask of an image, given as the network's input (3, H, W), unless it was answered before."""
        if self.predictions.of(image) is not None:
            return
        if self._predictor is None:
            target = self.subject.held or self.subject.target
            self._predictor = open_predictor(self.subject.artifact, target, timeout_s=self._timeout_s)
            self.predictions.opened(self._predictor.ran_on)
        self._batch.append((image, pixels, remark))
        if len(self._batch) == self.subject.target.batch:
            self._start(thread)

    def end(self, thread: ThreadPoolExecutor) -> None:
        """Ask of what doesn't fill a batch, and take the last answers."""
        if self._batch:
            self._start(thread)
        self._take()

    def close(self) -> None:
        """Free the device."""
        if self._predictor is not None:
            self._predictor.close()

    def _start(self, thread: ThreadPoolExecutor) -> None:
        import numpy as np

        batch, self._batch = self._batch, []
        # The last batch is filled up with its last image: a session's batch is fixed.
        filled = batch + batch[-1:] * (self.subject.target.batch - len(batch))
        images = np.stack([pixels for _, pixels, _ in filled])
        self._take()
        self._running = [(image, remark) for image, _, remark in batch], thread.submit(self._predict, images)

    def _predict(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        assert self._predictor is not None
        begun_s = time.monotonic()
        logits = self._predictor.predict(images)
        self.inference_s += time.monotonic() - begun_s
        return logits

    def _take(self) -> None:
        if self._running is None:
            return
        (batch, future), self._running = self._running, None
        for (image, remark), logits in zip(batch, future.result(), strict=False):
            found = top5(logits)
            said = ", ".join(filter(None, (remark, "" if found else NOT_FINITE)))
            self.predictions.add(Prediction(name=image.name, sha256=image.sha256, top5=found, remark=said))
            self.predicted += 1
