"""Plans of TensorRT for RTX: made by its real parser and builder, which need no GPU; what runs a plan is marked."""

import sys
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from exporters import to_tensorrt_rtx
from exporters.artifact import Fidelity, Job
from exporters.cache import Cache
from models import UserError, find
from system.gpu import NO_DRIVER, Gpu
from tests.needs import leave_out, tensorrt_rtx

# Squeeze-excite behind 3x3 and 7x7 depthwise convolutions, stride 2 and 1; then what EfficientNet-B0 is made of.
SMALL = (
    "zennet-se:SuperConvK3BNRELU(3,16,2,1)SuperResIDWE2K3(16,32,2,32,1)SuperResIDWE2K7(32,32,1,32,1)"
    "SuperResK1K3K1(32,32,1,16,1)SuperConvK1BNRELU(32,64,1,1)@32"
)
EFFICIENT = "timm:tf_efficientnet_b0@64"
ADA = Gpu(name="NVIDIA GeForce RTX 4090", uuid="GPU-1", compute_capability=(8, 9), driver_cuda=(13, 0))


@pytest.fixture(scope="module")
def library():
    return tensorrt_rtx()


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture(autouse=True)
def no_gpu(request, monkeypatch):
    if request.node.get_closest_marker("gpu") is None:
        monkeypatch.setattr(to_tensorrt_rtx, "find_gpu", lambda: NO_DRIVER)


def job(name=SMALL, **changes) -> Job:
    (model,) = find(name)
    return Job(**{"model": model, "format": "tensorrt_rtx", "precision": "fp16", "batch": 2} | changes)


@pytest.mark.parametrize("capability", ["7.5", "8.6"])
@pytest.mark.parametrize("precision", ["fp16", "int8"])
@pytest.mark.parametrize("name", [SMALL, EFFICIENT], ids=["zennet", "efficientnet"])
def test_the_real_builder_takes_every_kind_of_block(library, cache, name, precision, capability):
    artifact = cache.obtain(job(name, precision=precision, compute_capabilities=(capability,)))
    onnx_file = cache.find(to_tensorrt_rtx.source(job(name, precision=precision)))
    assert artifact.size_bytes == Path(artifact.path).stat().st_size
    # What a plan holds beside the weights: kernels, 100 kB or so for each kind of layer.
    assert artifact.size_bytes < 2 * onnx_file.size_bytes + 20e6
    assert artifact.made_by["compute_capabilities"] == capability
    assert artifact.made_by["tensorrt_rtx"] == library.__version__


def test_what_runs_a_plan_is_called_as_this_library_has_it(library):
    asked = {
        library.Runtime: {"deserialize_cuda_engine"},
        library.ICudaEngine: {
            "create_execution_context",
            "num_io_tensors",
            "get_tensor_name",
            "get_tensor_dtype",
            "get_tensor_shape",
            "get_tensor_mode",
        },
        library.IExecutionContext: {"set_tensor_address", "execute_async_v3", "profiler", "enqueue_emits_profile"},
        library.TensorIOMode: {"INPUT"},
        library.Logger: {"ERROR"},
        library.DataType: {"FLOAT", "HALF"},
    }
    assert {kind.__name__: names - set(dir(kind)) for kind, names in asked.items()} == {
        kind.__name__: set() for kind in asked
    }


def test_one_plan_serves_several_cards_and_each_choice_has_a_key_of_its_own(library, cache):
    artifact = cache.obtain(job())
    assert artifact.made_by["compute_capabilities"] == "8.6 8.9 12.0"
    paths = {cache.path(job(compute_capabilities=each)) for each in ((), ("8.6",), ("7.5",), ("8.6", "8.9"))}
    assert len(paths) == 4
    assert Path(artifact.path) in paths


def test_the_onnx_file_is_the_same_for_every_card():
    sources = {to_tensorrt_rtx.source(job(compute_capabilities=each)) for each in ((), ("7.5",))}
    assert len(sources) == 1


def save(path, *nodes, types=(TensorProto.FLOAT16, TensorProto.FLOAT16), shape=(1, 8, 4, 4)) -> Path:
    values = [helper.make_tensor_value_info(*each, shape) for each in zip("xy", types, strict=True)]
    graph = helper.make_graph(list(nodes), "network", values[:1], values[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), path)
    return path


def test_a_node_that_the_parser_does_not_know_is_shown_whole_and_named(library, tmp_path, capsys):
    path = save(tmp_path / "x.onnx", helper.make_node("NoSuchOperator", ["x"], ["y"], "strange"))
    with pytest.raises(UserError, match=r"TensorRT for RTX .* can't read .*x.onnx: node 0 strange NoSuchOperator"):
        to_tensorrt_rtx.build(path, ("8.6",))
    assert "NoSuchOperator" in capsys.readouterr().err


def test_what_the_builder_refuses_is_shown_whole_and_named(library, cache, capsys):
    onnx_file = Path(cache.obtain(to_tensorrt_rtx.source(job(precision="fp32"))).path)
    with pytest.raises(UserError, match=r"TensorRT for RTX .* can't build .*onnx for 7\.5: .*not supported"):
        to_tensorrt_rtx.build(onnx_file, ("7.5",))
    assert "FP32 GEMM is not supported" in capsys.readouterr().err


def test_an_unknown_capability_names_those_that_are_known(library, tmp_path):
    path = save(tmp_path / "x.onnx", helper.make_node("Relu", ["x"], ["y"]))
    with pytest.raises(UserError, match=r"no such compute capability: 7\.0; choose from .*7\.5.*12\.0"):
        to_tensorrt_rtx.build(path, ("7.0",))


def test_without_the_library_the_error_says_what_installs_it(monkeypatch, cache):
    monkeypatch.setitem(sys.modules, "tensorrt_rtx_bindings", None)
    with pytest.raises(UserError, match=r"no TensorRT for RTX: .*; make bench-rtx installs it"):
        cache.path(job())


def test_a_plan_is_checked_where_its_gpu_is_and_one_that_was_not_has_another_key(library, monkeypatch, cache):
    checked = []
    fidelity = Fidelity(images=2, relative_error=0, relative_error_limit=None, top1_agreement=1, cosine=1)
    monkeypatch.setattr(to_tensorrt_rtx, "open_engine", lambda plan: plan)
    monkeypatch.setattr(to_tensorrt_rtx, "check_plan", lambda job, engine: checked.append(engine) or fidelity)
    without = cache.obtain(job())
    monkeypatch.setattr(to_tensorrt_rtx, "find_gpu", lambda: ADA)
    with_it = cache.obtain(job())
    other = cache.obtain(job(compute_capabilities=("7.5",)))
    assert (without.fidelity, with_it.fidelity, other.fidelity) == (None, fidelity, None)
    assert (without.made_by["checked_on"], with_it.made_by["checked_on"]) == ("no GPU", "NVIDIA GeForce RTX 4090 sm_89")
    assert without.path != with_it.path
    assert len(checked) == 1


@pytest.mark.gpu
@pytest.mark.parametrize("precision", to_tensorrt_rtx.FORMAT.precisions)
def test_a_plan_computes_what_torch_computes(library, tmp_path, precision):
    artifact = Cache(tmp_path).obtain(job(precision=precision))
    if artifact.fidelity is None:
        leave_out("no GPU that a plan is for", "run it on a GeForce or RTX card from Ampere on")
    assert artifact.fidelity.cosine > 0.99
