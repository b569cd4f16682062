from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from exporters import onnx_run, to_onnx
from exporters.artifact import Job
from exporters.cache import Cache
from models import UserError, find

TINY = "zennet-se:SuperConvK3BNRELU(3,8,2,1)SuperResIDWE2K3(8,16,2,8,1)SuperResK1K3K1(16,16,1,8,1)@32"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("artifacts"))


def job(**changes) -> Job:
    fields = {"model": find(TINY)[0], "format": "onnx", "precision": "fp32"}
    return Job(**fields | changes)


@pytest.fixture(scope="module")
def artifact(cache):
    return cache.obtain(job())


def test_it_computes_what_torch_computes_at_any_batch(artifact):
    images = np.random.default_rng(0).normal(size=(5, 3, 32, 32)).astype(np.float32)
    with torch.inference_mode():
        expected = find(TINY)[0].build()(torch.from_numpy(images)).numpy()
    assert np.abs(onnx_run.run(Path(artifact.path), images) - expected).max() <= 1e-4 * np.abs(expected).max()
    assert artifact.fidelity.relative_error <= 1e-4


def test_batch_norms_are_folded_and_the_opset_is_recent(artifact):
    graph = onnx.load(artifact.path)
    kinds = Counter(node.op_type for node in graph.graph.node)
    assert kinds["BatchNormalization"] == 0
    assert set(kinds) <= {"Conv", "Relu", "Add", "Mul", "Sigmoid", "ReduceMean", "GlobalAveragePool", "Gemm"}
    assert graph.opset_import[0].version >= 18


def test_fp16_is_fp16_throughout_and_agrees(cache):
    artifact = cache.obtain(job(precision="fp16"))
    graph = onnx.load(artifact.path).graph
    floats = {tensor.data_type for tensor in graph.initializer} - {onnx.TensorProto.INT64}
    assert floats == {onnx.TensorProto.FLOAT16}
    assert graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT16
    assert 0 < artifact.fidelity.relative_error <= 2e-2


def test_a_fixed_batch_is_fixed_and_runs(cache):
    artifact = cache.obtain(job(batch=3))
    session = onnxruntime.InferenceSession(artifact.path, providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == [3, 3, 32, 32]
    assert session.get_outputs()[0].shape == [3, 1000]
    (logits,) = session.run(None, {onnx_run.INPUT: np.zeros((3, 3, 32, 32), np.float32)})
    assert logits.shape == (3, 1000)


def test_a_checkpoint_s_weights_are_exported(cache, tmp_path):
    state = {key: value * 0.5 for key, value in find(TINY)[0].build().state_dict().items()}
    torch.save(state, tmp_path / "half.pth")
    artifact = cache.obtain(job(weights=tmp_path / "half.pth"))
    assert artifact.weights.startswith("half.pth sha256:")
    assert artifact.fidelity.relative_error <= 1e-4


@pytest.mark.parametrize("source", ["timm:test_vit@224", "timm:swin_tiny_patch4_window7_224@224"])
def test_networks_of_timm_are_exported_at_any_resolution(cache, source):
    artifact = cache.obtain(job(model=find(source)[0]))
    assert artifact.fidelity.relative_error <= 1e-4


def test_an_export_that_computes_something_else_is_never_kept(tmp_path, monkeypatch):
    exact = onnx_run.run
    monkeypatch.setattr(to_onnx, "run", lambda path, images: exact(path, images) * 1.01)
    cache = Cache(tmp_path)
    with pytest.raises(UserError, match="wrong outputs"):
        cache.obtain(job())
    assert cache.find(job()) is None


def test_the_same_file_comes_out_everywhere(artifact, tmp_path):
    """Nothing of this machine is in it, so that another's sha256 is the same."""
    content = Path(artifact.path).read_bytes()
    assert b".py" not in content
    assert str(Path(__file__).parents[2]).encode() not in content
    assert Cache(tmp_path).obtain(job()).sha256 == artifact.sha256
