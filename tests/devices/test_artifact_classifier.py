"""Files asked what is on photographs: by the first target here that loads them, their batch filled."""

import dataclasses
import json
import sys

import numpy as np
import pytest
import torch
from PIL import Image

import models.__main__
from devices import artifact_classifier
from devices.artifact_classifier import open_artifact
from devices.runtime import runtime_of
from exporters.artifact import Job
from exporters.cache import Cache
from models import UserError, find
from models.images import synthetic_images
from models.model import Model

TINY = "zennet:SuperConvK3BNRELU(3,8,4,1)@32"


def model(name=TINY) -> Model:
    return find(name)[0]


def file_of(tmp_path, **how):
    return Cache(tmp_path).obtain(Job(model=model(), **how))


class MeanColour:
    """A predictor whose logits are the mean of each channel of each image."""

    def __init__(self, artifact, target):
        self.target, self.closed, self.ran_on = target, False, {}

    def predict(self, images):
        self.batch = len(images)
        return images.mean(axis=(2, 3))

    def close(self):
        self.closed = True


@pytest.fixture
def predicting(monkeypatch):
    def with_predictor(target):
        return dataclasses.replace(runtime_of(target), open_predictor=MeanColour)

    monkeypatch.setattr(artifact_classifier, "runtime_of", with_predictor)


@pytest.mark.parametrize(("batch", "images"), [(None, 1), (1, 1), (3, 3)])
def test_the_first_target_that_loads_the_file_is_asked_with_the_files_batch(tmp_path, predicting, batch, images):
    artifact = file_of(tmp_path, format="onnx", precision="fp32", batch=batch)
    opened = open_artifact(tmp_path / artifact.path, model())
    assert (opened.runs_on, opened.weights) == ("CPU, ONNX Runtime FP32", "seeded-1")
    image = synthetic_images(1, 32)[0]
    assert opened.logits(image) == pytest.approx(image.mean(axis=(1, 2)))
    assert opened._predictor.batch == opened._predictor.target.batch == images
    opened.close()
    assert opened._predictor.closed


def test_the_command_asks_the_file(tmp_path, predicting, monkeypatch, capsys):
    artifact = file_of(tmp_path, format="onnx", precision="fp32")
    Image.new("RGB", (9, 9), (0, 0, 255)).save(tmp_path / "blue.png")
    command = ["models", "classify", TINY, str(tmp_path / "blue.png"), "--artifact", artifact.path, "--json"]
    monkeypatch.setattr(sys, "argv", command)
    assert models.__main__.main() == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert (document["runs_on"], document["weights"]) == ("CPU, ONNX Runtime FP32", "seeded-1")
    assert [likely["index"] for likely in document["images"][0]["classes"]] == [2, 1, 0]  # the blue channel first
    assert said.err.startswith("warning: the weights are seeded")


def test_onnx_runtime_answers_as_torch_does(tmp_path):
    artifact = file_of(tmp_path, format="onnx", precision="fp32")
    opened = open_artifact(tmp_path / artifact.path, model())
    image = synthetic_images(1, 32, seed=3)
    expected = model().build()(torch.from_numpy(image))[0].numpy()
    assert np.abs(opened.logits(image[0]) - expected).max() <= 1e-4 * np.abs(expected).max()
    opened.close()


def test_a_file_of_another_network_is_refused(tmp_path, predicting):
    artifact = file_of(tmp_path, format="onnx", precision="fp32")
    with pytest.raises(UserError, match="is of another network: zennet:"):
        open_artifact(tmp_path / artifact.path, model("EfficientNet-B3"))


def test_a_file_that_is_missing_damaged_or_from_elsewhere_is_refused(tmp_path):
    artifact = file_of(tmp_path, format="onnx", precision="fp32")
    path = tmp_path / artifact.path
    with pytest.raises(UserError, match=r"can't read artifact .*missing\.onnx: no such file"):
        open_artifact(path.with_name("missing.onnx"), model())
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(UserError, match=r"no .*\.json beside it that describes its content"):
        open_artifact(path, model())


def test_a_file_that_nothing_here_loads_says_why(tmp_path):
    artifact = file_of(tmp_path, format="onnx", precision="fp16")
    with pytest.raises(UserError, match=r"nothing here loads .*: v100: "):
        open_artifact(tmp_path / artifact.path, model())
