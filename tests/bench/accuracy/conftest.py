import hashlib
import itertools
from pathlib import Path

import msgspec
import numpy as np
import pytest

from bench.accuracy.images import digested
from bench.accuracy.record import Accuracy, Agreement
from bench.accuracy.subject import Subject
from bench.records.network_run import network_of
from devices.host.conditions import Machine, Moment
from devices.targets import find_targets
from devices.worker import SessionLost
from exporters.artifact import Artifact
from models.photographs.folder import photographs
from models.photographs.preprocessing import Preprocessing
from models.zoo import find
from tests.bench.accuracy.drawing import draw

HOW = Preprocessing(short_px=36, crop_px=32, resolution_px=32)
CLASSES = 1000


@pytest.fixture
def folder(tmp_path) -> Path:
    """Ten images of three classes, in class folders."""
    for number in range(10):
        draw(tmp_path / "photographs" / f"{number % 3}" / f"{number}.png", number)
    return tmp_path / "photographs"


@pytest.fixture
def images(folder):
    return digested(photographs(folder).images)


class Device:
    """Where fake predictors run: their logits are those of `answer`, by the pixels of an image.

    `calls` are the shapes of the batches that were predicted; after `dies_after` of them, predictors are lost.
    """

    def __init__(self) -> None:
        self.ran_on: dict[str, str | int] = {"device": "made up"}
        self.calls: list[tuple[str, tuple[int, ...]]] = []
        self.opened: list[str] = []
        self.open_now = 0
        self.dies_after: float = float("inf")

    def answer(self, artifact: Artifact, image: np.ndarray) -> np.ndarray:
        seed = int.from_bytes(hashlib.sha256(image.tobytes()).digest()[:8])
        return np.random.default_rng(seed).standard_normal(CLASSES).astype(np.float32)

    def open_predictor(self, artifact: Artifact, target, *, timeout_s: float) -> "Predictor":
        self.opened.append(artifact.model + artifact.sha256)
        self.open_now += 1
        return Predictor(self, artifact, target.batch)


class Predictor:
    def __init__(self, device: Device, artifact: Artifact, batch: int) -> None:
        self.ran_on, self._device, self._artifact, self._batch = device.ran_on, device, artifact, batch

    def predict(self, images: np.ndarray) -> np.ndarray:
        if len(self._device.calls) >= self._device.dies_after:
            raise SessionLost("crashed (SIGSEGV)")
        assert images.shape == (self._batch, 3, 32, 32)
        assert images.dtype == np.float32
        self._device.calls.append((self._artifact.sha256, images.shape))
        return np.stack([self._device.answer(self._artifact, image) for image in images])

    def close(self) -> None:
        self._device.open_now -= 1


@pytest.fixture
def device(monkeypatch) -> Device:
    device = Device()
    monkeypatch.setattr("bench.accuracy.evaluate.open_predictor", device.open_predictor)
    return device


@pytest.fixture
def subject():
    """Makes a subject; each has another file."""
    numbers = itertools.count()

    def make(batch: int = 1, target: str = "cpu") -> Subject:
        (found,) = find_targets(target)
        artifact = Artifact(
            model="made up",
            format=found.format,
            precision=found.precision,
            batch=batch,
            path="nowhere",
            input_shape=(batch, 3, 32, 32),
            sha256=f"{next(numbers):064x}",
            size_bytes=1,
            weights="made up",
            made_by={},
            fidelity=None,
        )
        return Subject(artifact, msgspec.structs.replace(found, batch=batch), HOW)

    return make


@pytest.fixture
def accuracy(subject) -> Accuracy:
    one = subject()
    return Accuracy(
        model=network_of(find("EfficientNet-B3")[0]),
        target=one.target,
        artifact=one.artifact,
        ran_on={},
        folder="photographs",
        images_sha256="0",
        images=100,
        labelled=100,
        top1=60,
        top5=80,
        agreement=Agreement(same_top1=90, both_right=58, only_torch_right=5, only_artifact_right=2),
        machine=Machine(),
        end=Moment(),
        inference_s=1.0,
        wall_s=2.0,
    )
