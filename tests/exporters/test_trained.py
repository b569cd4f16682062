"""A network with its ImageNet weights through every exporter: seeded ones have no dead channels and no odd strides."""

from pathlib import Path

import numpy as np
import pytest
import torch

from exporters import to_tensorrt_rtx
from exporters.fidelity import measure_fidelity, source_logits
from system.gpu import NO_DRIVER
from tests.needs import tensorrt_rtx
from tests.run_files import FILES, leave_out_where_onnxruntime_is_too_old, logits_of
from tests.trained import trained

# What the largest error over the largest logit may be. FP32: the order of sums; FP16: 2^-11 for each of 50 layers.
LARGEST_ERROR = {"fp32": 1e-4, "fp16": 2e-2}
# Of integer files, what the smallest cosine of an image's logits must be, and how many keep their top-1 class, which of
# crops is a close call between several. What was broken before (scales of 0, tensors misread) had cosines below 0.4.
SMALLEST_COSINE, KEPT = 0.9, 0.6


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return trained(tmp_path_factory)


@pytest.fixture(scope="module")
def images(network):
    return network.images()


@pytest.fixture(scope="module")
def reference(network, images):
    return source_logits(network.job("torch", "fp32"), images)


@pytest.mark.parametrize(("format_", "precision"), FILES)
def test_every_file_computes_what_the_trained_network_does(network, images, reference, format_, precision):
    leave_out_where_onnxruntime_is_too_old(precision)
    artifact = network.artifact(format_, precision)
    assert artifact.weights.startswith("lite0.pth sha256:")
    found = measure_fidelity(reference, logits_of(network.job(format_, precision), artifact, images))
    if precision in LARGEST_ERROR:
        assert found.relative_error < LARGEST_ERROR[precision]
        assert found.top1_agreement == 1
    else:
        assert found.cosine > SMALLEST_COSINE
        assert found.top1_agreement >= KEPT


@pytest.mark.parametrize("precision", to_tensorrt_rtx.FORMAT.precisions)
def test_its_plans_are_built_as_a_whole(network, monkeypatch, precision):
    tensorrt_rtx()
    monkeypatch.setattr(to_tensorrt_rtx, "find_gpu", lambda: NO_DRIVER)
    artifact = network.artifact("tensorrt_rtx", precision, compute_capabilities=("8.6",))
    few = "500 are recommended" if precision.startswith("int8") else ""
    assert few in (artifact.remark or "") and bool(artifact.remark) == bool(few)
    assert artifact.size_bytes == Path(artifact.path).stat().st_size > 4e6


def test_the_network_knows_what_the_photographs_show(network, images, reference):
    # Else none of the above says anything of trained weights.
    likeliest = torch.softmax(torch.from_numpy(reference), 1).max(dim=1).values
    assert int((likeliest > 0.4).sum()) >= len(images) // 4
    assert len(set(reference.argmax(axis=1))) >= 5
    strided = torch.load(network.checkpoint, weights_only=True)
    assert not all(value.is_contiguous() for value in strided.values())
    assert np.isfinite(reference).all()
