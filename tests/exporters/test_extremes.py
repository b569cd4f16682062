"""Weights as trained networks have them at worst: dead channels, whose constants count, and huge ones."""

import itertools
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from exporters import onnx_run, to_onnx
from exporters.artifact import Job
from exporters.cache import Cache
from exporters.fidelity import measure_fidelity, source_logits
from exporters.formats import find_format
from models import UserError, find
from models.images import synthetic_images
from tests.run_files import FILES, leave_out_where_onnxruntime_is_too_old, logits_of

SOURCE = "zennet:SuperConvK3BNRELU(3,16,2,1)SuperResIDWE1K3(16,16,1,16,1)SuperConvK1BNRELU(16,32,1,1)@32"
PRECISE = {"fp32": 1e-4, "fp16": 2e-2}


def norms(module):
    """Each batch norm with the convolution before it."""
    layers = [layer for layer in module.modules() if isinstance(layer, torch.nn.Conv2d | torch.nn.BatchNorm2d)]
    return [(one, two) for one, two in itertools.pairwise(layers) if isinstance(two, torch.nn.BatchNorm2d)]


def dead(module, constant=2.0):
    """Every second channel no longer depends on the image, and is `constant` instead."""
    for conv, norm in norms(module):
        conv.weight[::2] *= 1e-12
        norm.running_var[::2] = 1e-10
        norm.running_mean[::2] = 0.0
        norm.bias[::2] = constant


def huge(module):
    """A third of the channels is ten thousand times as large, and normalised all the same."""
    for conv, norm in norms(module):
        conv.weight[::3] *= 1e4
        norm.running_var[::3] *= 1e8
        norm.running_mean[::3] *= 1e4


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("extremes")

    def made(change, **options):
        module = find(SOURCE)[0].build()
        change(module, **options)
        path = folder / f"{change.__name__}{options.get('constant', '')}.pth"
        torch.save(module.state_dict(), path)
        return path

    return made


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("artifacts"))


def job(path, format_="onnx", precision="fp32"):
    batch = None if find_format(format_).dynamic_batch else 1
    return Job(model=find(SOURCE)[0], format=format_, precision=precision, batch=batch, weights=path)


@pytest.fixture(scope="module")
def images():
    return synthetic_images(8, 32, seed=5)


def found(cache, wanted, images):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converters' own
        artifact = cache.obtain(wanted)
    return measure_fidelity(source_logits(wanted, images), logits_of(wanted, artifact, images))


def test_the_constants_of_the_dead_channels_count(checkpoint, images):
    with_them, without = (source_logits(job(checkpoint(dead, constant=each)), images) for each in (2.0, 0.0))
    assert measure_fidelity(with_them, without).cosine < 0.8


@pytest.mark.parametrize(("format_", "precision"), FILES)
def test_dead_channels_keep_their_constants(cache, checkpoint, images, format_, precision):
    leave_out_where_onnxruntime_is_too_old(precision)
    fidelity = found(cache, job(checkpoint(dead, constant=2.0), format_, precision), images)
    assert fidelity.relative_error < PRECISE.get(precision, 0.1)
    assert fidelity.cosine > 0.99


@pytest.mark.parametrize(("format_", "precision"), FILES)
def test_huge_channels_are_normalised_or_refused(cache, checkpoint, images, format_, precision):
    leave_out_where_onnxruntime_is_too_old(precision)
    wanted = job(checkpoint(huge), format_, precision)
    if (format_, precision) == ("torch", "fp16"):  # the only format that keeps batch norms
        with pytest.raises(UserError, match=r"FP16 can't hold the weights of this network: .* in .*running_var"):
            cache.obtain(wanted)
        return
    fidelity = found(cache, wanted, images)
    assert fidelity.relative_error < PRECISE.get(precision, 0.15)
    assert fidelity.cosine > 0.98


def convolution(path, *weights):
    """An FP32 file of one convolution, a channel for each weight."""
    values = np.array(weights, dtype=np.float32).reshape(-1, 1, 1, 1)
    shapes = [[1, channels, 2, 2] for channels in (1, len(weights))]
    given, said = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in zip((onnx_run.INPUT, onnx_run.OUTPUT), shapes, strict=True)
    )
    node = helper.make_node("Conv", [onnx_run.INPUT, "w"], [onnx_run.OUTPUT], "conv")
    graph = helper.make_graph([node], "one", [given], [said], [numpy_helper.from_array(values, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


def test_weights_up_to_fp16_s_largest_are_kept_and_larger_ones_refused(tmp_path):
    weights = [65504.0, -3e4, 1.0, 1e-3, 1e-12]
    to_onnx.halve(convolution(tmp_path / "fp32.onnx", *weights), tmp_path / "fp16.onnx")
    (kept,) = map(numpy_helper.to_array, onnx.load(tmp_path / "fp16.onnx").graph.initializer)
    assert kept.dtype == np.float16
    assert kept.ravel() == pytest.approx(weights, rel=1e-3, abs=1e-7)
    large = convolution(tmp_path / "large.onnx", 1.0, -7e4)
    with pytest.raises(UserError, match=r"FP16 can't hold the weights of this network: 7e\+04 in w, more than 65504"):
        to_onnx.halve(large, tmp_path / "none.onnx")
    assert not Path(tmp_path / "none.onnx").exists()
