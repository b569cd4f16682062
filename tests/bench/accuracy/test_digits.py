"""A small ZenNet that has learnt handwritten digits: its accuracy in every format, and that broken files are caught."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest

from bench.accuracy.count import count_answers
from bench.accuracy.evaluate import evaluate
from bench.accuracy.images import digested
from bench.accuracy.intervals import points_lost
from bench.accuracy.record import Accuracy
from bench.accuracy.store import read_accuracies
from bench.accuracy.subject import Subject, reference_target
from bench.accuracy.target import EvaluationRequest, evaluate_target
from devices.targets import Target, find_targets
from exporters.artifact import Artifact
from exporters.cache import Cache
from models.photographs.folder import photographs
from models.photographs.preprocessing import preprocessing_of
from tests.bench.accuracy import digits

# How many points of top-1 each file may lose beside torch in FP32.
LIMITS = {
    "cpu": 0.0,
    "cpu-torch": 0.0,
    "cpu-tflite": 0.0,
    "cpu-int8": 1.0,
    "cpu-tflite-int8": 1.0,
}


@dataclass
class Trained:
    learnt: Path
    held_out: Path
    weights: Path
    root: Path

    def request(self, target: Target) -> EvaluationRequest:
        found = photographs(self.held_out)
        return EvaluationRequest(
            target=target,
            models=[digits.model()],
            folder=self.held_out,
            images=digested(found.images),
            left_out=found.left_out,
            results=self.root / "results",
            artifacts=self.root / "artifacts",
            checkpoints={digits.model(): self.weights},
            calibration=self.learnt,
            timeout_s=300,
        )

    def accuracy(self, target: Target) -> Accuracy:
        ((_, accuracy),) = evaluate_target(self.request(target))
        assert isinstance(accuracy, Accuracy), accuracy
        return accuracy


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Trained:
    root = tmp_path_factory.mktemp("digits")
    learnt, held_out = digits.write_digits(root)
    return Trained(learnt, held_out, digits.write_checkpoint(learnt, root / "digits.pth"), root)


@pytest.mark.parametrize("name", LIMITS)
def test_every_format_reads_the_digits_as_torch_does(trained, name):
    (target,) = find_targets(name)
    accuracy = trained.accuracy(target)
    assert accuracy.images == accuracy.labelled == 300
    assert accuracy.top1 / accuracy.labelled >= 0.95
    assert accuracy.top5 >= accuracy.top1
    lost, low, _ = points_lost(accuracy.agreement, accuracy.labelled)
    assert lost <= LIMITS[name]
    assert low <= 0
    assert accuracy.artifact.weights.startswith("digits.pth sha256:")
    assert accuracy in read_accuracies(trained.root / "results")


@pytest.mark.parametrize("precision", ["int8", "int8-fp16"])
def test_every_placement_of_int8_reads_the_digits(trained, precision):
    (target,) = find_targets("cpu-int8")
    accuracy = trained.accuracy(msgspec.structs.replace(target, name=precision, precision=precision))
    assert accuracy.top1 / accuracy.labelled >= 0.95


def lost_by(trained: Trained, artifact: Artifact, target: Target, **preprocessing) -> tuple[float, float]:
    """Points that a file loses beside torch, and the low end of their interval.

    `preprocessing` is what is done otherwise to the images that the file sees.
    """
    how = preprocessing_of(digits.model())
    torchs = Cache(trained.root / "artifacts").obtain(trained.request(target).jobs(digits.model())[1])
    images = trained.request(target).images
    predictions = [
        evaluate([subject], images, trained.root / "results", timeout_s=300).predictions[0]
        for subject in (
            Subject(artifact, target, replace(how, **preprocessing)),
            Subject(torchs, reference_target(digits.model()), how),
        )
    ]
    counts = count_answers(images, *predictions, {}, trained=True)
    assert counts.labelled == 300
    lost, low, _ = points_lost(counts.agreement, counts.labelled)
    return lost, low


def rewritten(artifact: Artifact, change, path: Path) -> Artifact:
    """An ONNX artifact whose initializers, by name, were changed."""
    graph = onnx.load(artifact.path)
    change(graph.graph)
    onnx.save(graph, path)
    return msgspec.structs.replace(
        artifact, path=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest(), size_bytes=path.stat().st_size
    )


def shuffle_channels(graph: onnx.GraphProto) -> None:
    """The output channels of the second convolution in another order, its bias left as it is."""
    weights = [node.input[1] for node in graph.node if node.op_type == "Conv"]
    (tensor,) = [tensor for tensor in graph.initializer if tensor.name == weights[1]]
    values = onnx.numpy_helper.to_array(tensor)
    shuffled = values[np.random.default_rng(0).permutation(len(values))]
    tensor.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(shuffled), tensor.name))


def collapse_a_scale(graph: onnx.GraphProto) -> None:
    """The scale of one activation 0, as FP16 rounds those below its smallest number."""
    scales = [node.input[1] for node in graph.node if node.op_type == "QuantizeLinear"]
    (tensor,) = [tensor for tensor in graph.initializer if tensor.name == scales[len(scales) // 2]]
    values = np.zeros_like(onnx.numpy_helper.to_array(tensor))
    tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))


@pytest.mark.parametrize(
    ("name", "damage"), [("cpu", shuffle_channels), ("cpu-int8", collapse_a_scale)], ids=["shuffled", "collapsed"]
)
def test_a_broken_file_loses_points_beyond_chance(trained, tmp_path, name, damage):
    (target,) = find_targets(name)
    whole = Cache(trained.root / "artifacts").obtain(trained.request(target).jobs(digits.model())[0])
    lost, low = lost_by(trained, whole, target)
    assert lost <= 1
    assert low <= 0
    lost, low = lost_by(trained, rewritten(whole, damage, tmp_path / "broken.onnx"), target)
    assert lost > 5
    assert low > 2


def test_a_wrong_normalisation_loses_points_beyond_chance(trained):
    (target,) = find_targets("cpu")
    whole = Cache(trained.root / "artifacts").obtain(trained.request(target).jobs(digits.model())[0])
    lost, low = lost_by(trained, whole, target, mean=(0.0, 0.0, 0.0), std=(1 / 255, 1 / 255, 1 / 255))
    assert lost > 5
    assert low > 2
