from pathlib import Path

import numpy as np
import pytest
import torch

from exporters.artifact import Job
from exporters.cache import Cache
from exporters.int8.litert import large_depthwise
from exporters.tflite_run import load, run_file
from exporters.to_tflite import FORMAT, op_counts
from models import find
from models.images import synthetic_images
from system.errors import UserError

SE = "zennet-se:SuperConvK3BNRELU(3,8,2,1)SuperResIDWE1K7(8,16,2,16,1)SuperConvK1BNRELU(16,64,1,1)@32"


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Cache:
    return Cache(tmp_path_factory.mktemp("artifacts"))


def job(source=SE, **changes) -> Job:
    (model,) = find(source)
    return Job(**{"model": model, "format": "tflite", "precision": "fp32", "batch": 1} | changes)


@pytest.mark.filterwarnings("ignore")
def test_fp32_computes_what_torch_does_and_moves_no_data_needlessly(cache):
    artifact = cache.obtain(job())
    assert artifact.fidelity.relative_error <= 1e-4
    assert artifact.fidelity.top1_agreement == 1
    path = Path(artifact.path)
    assert [list(given["shape"]) for given in load(path, 1).get_input_details()] == [[1, 32, 32, 3]]
    counts = op_counts(path)
    assert "TRANSPOSE" not in counts
    modules = list(job().model.build().modules())
    convolutions = [module for module in modules if isinstance(module, torch.nn.Conv2d)]
    # TFLite has no symmetric padding of its own for a strided window.
    assert counts["PAD"] == sum(module.stride[0] > 1 and module.kernel_size[0] > 1 for module in convolutions)
    assert counts["CONV_2D"] + counts["DEPTHWISE_CONV_2D"] == len(convolutions)


@pytest.mark.filterwarnings("ignore")
def test_a_transformer_that_takes_other_resolutions_too_is_converted_for_its_own(cache):
    artifact = cache.obtain(job("timm:test_vit@32"))
    assert artifact.fidelity.relative_error <= 1e-4
    assert not {"RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"} & op_counts(Path(artifact.path)).keys()


@pytest.mark.filterwarnings("ignore")
def test_int8_is_integer_throughout_and_close(cache):
    five_px = SE.replace("K7", "K5")
    artifact = cache.obtain(job(five_px, precision="int8"))
    assert artifact.fidelity.cosine > 0.9
    assert 0 <= artifact.fidelity.top1_agreement <= 1
    assert artifact.fidelity.cosine_limit is not None
    assert "synthetic" in artifact.calibration
    path = Path(artifact.path)
    (given,) = load(path, 1).get_input_details()
    assert given["dtype"] == np.int8
    assert not {"QUANTIZE", "DEQUANTIZE", "TRANSPOSE"} & op_counts(path).keys()
    images = synthetic_images(4, 32, seed=7)
    float_logits = run_file(Path(cache.obtain(job(five_px)).path))(images)
    assert np.corrcoef(run_file(path)(images).ravel(), float_logits.ravel())[0, 1] > 0.95


@pytest.mark.filterwarnings("ignore")
def test_of_int8_depthwise_windows_above_25_taps_alone_stay_floating_point(cache):
    source, artifact = cache.obtain(job()), cache.obtain(job(precision="int8"))
    interpreter = load(Path(artifact.path), 1)
    types = {tensor["index"]: tensor["dtype"] for tensor in interpreter.get_tensor_details()}
    kernels = {
        (op["op_name"], types[int(op["inputs"][1])]) for op in interpreter._get_ops_details() if "CONV" in op["op_name"]
    }
    assert kernels == {("CONV_2D", np.int8), ("DEPTHWISE_CONV_2D", np.float32)}
    large = large_depthwise(load(Path(source.path), 1))
    counts = op_counts(Path(artifact.path))
    assert counts["QUANTIZE"] == counts["DEQUANTIZE"] == len(large) == counts["DEPTHWISE_CONV_2D"]
    assert artifact.fidelity.cosine > 0.9


def test_files_of_the_former_recipe_are_made_again_and_fp32_ones_are_not():
    assert [FORMAT.recipe_of(job(precision=precision)) for precision in FORMAT.precisions] == [None, 4]


@pytest.mark.filterwarnings("ignore")
def test_a_batch_of_several_is_checked_image_by_image(cache):
    artifact = cache.obtain(job("zennet:SuperConvK3BNRELU(3,8,2,1)@16", batch=3))
    assert artifact.fidelity.images == 3
    assert list(load(Path(artifact.path), 1).get_input_details()[0]["shape"]) == [3, 16, 16, 3]


def test_a_dynamic_batch_is_refused(cache):
    with pytest.raises(UserError, match="fixed batch"):
        cache.obtain(job(batch=None))


def test_a_damaged_file_is_one_error(tmp_path):
    path = tmp_path / "x.tflite"
    path.write_bytes(b"not a flatbuffer at all")
    with pytest.raises(UserError, match=r"LiteRT can't load x\.tflite"):
        load(path, 1)
