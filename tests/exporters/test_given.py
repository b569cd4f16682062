"""Networks that come as files: what is taken as it is, what is made of it, and what can't be."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from exporters import onnx_run, tflite_run
from exporters.artifact import Job
from exporters.cache import Cache
from exporters.formats import chain
from exporters.parallel import obtain_all
from models import find
from models.given.factory import NetworkError
from models.images import synthetic_images
from models.model import Model
from system.child import Failure
from system.errors import UserError
from tests.onnx_files import CLASSES, onnx_file

FP32 = {"format": "onnx", "precision": "fp32"}


def job(path: Path, **changes) -> Job:
    kind = path.suffix.removeprefix(".")
    return Job(**({"model": find(f"{kind}:{path}")[0], **FP32} | changes))


def logits_of(path: Path, images):
    return onnx_run.run_file(path)(images)


@pytest.mark.parametrize("batch", ["n", 1, 4])
@pytest.mark.parametrize("names", [("x", "y"), ("logits", "images"), ("images", "logits")])
def test_an_onnx_file_is_taken_as_it_is_under_our_names(tmp_path, batch, names):
    given = onnx_file(tmp_path / "a.onnx", batch=batch, names=names)
    artifact = Cache(tmp_path / "cache").obtain(job(given))
    assert (artifact.fidelity, artifact.remark) == (None, "as given")
    assert artifact.input_shape == (None if batch == "n" else batch, 3, 16, 16)
    model = onnx.load(artifact.path)
    assert ([v.name for v in model.graph.input], [v.name for v in model.graph.output]) == (["images"], ["logits"])
    images = synthetic_images(3, 16)
    assert np.array_equal(logits_of(Path(artifact.path), images), logits_of(given, images))
    assert artifact.weights == f"its own sha256:{job(given).model.file.sha256}"


def answers_nearly_as(given, artifact):
    images = synthetic_images(5, 16)
    expected, found = logits_of(given, images), logits_of(Path(artifact.path), images)
    assert 0 < np.abs(found - expected).max() < 0.2 * np.abs(expected).max()


@pytest.mark.parametrize("batch", ["n", 1, 3])
@pytest.mark.parametrize(("format_", "precision"), [("onnx", "fp16"), ("onnx_int8", "int8"), ("onnx_int8", "int8-cpu")])
def test_other_precisions_are_made_of_it_and_compared_with_it(tmp_path, batch, format_, precision):
    given = onnx_file(tmp_path / "a.onnx", batch=batch)
    artifact = Cache(tmp_path / "cache").obtain(job(given, format=format_, precision=precision))
    assert artifact.fidelity is not None and artifact.fidelity.cosine > 0.9
    answers_nearly_as(given, artifact)


@pytest.mark.parametrize("precision", ["int8", "int8-cpu"])
def test_weights_in_nodes_and_means_of_older_opsets_are_quantized(tmp_path, precision):
    given = onnx_file(tmp_path / "a.onnx", opset=17)
    model = onnx.load(given)
    graph = model.graph
    constants = [helper.make_node("Constant", [], [tensor.name], value=tensor) for tensor in graph.initializer]
    mean = helper.make_node("ReduceMean", ["h2"], ["h4"], axes=[2, 3], keepdims=0)
    nodes = [*constants, *graph.node[:2], mean, graph.node[4]]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    onnx.save(model, given)
    artifact = Cache(tmp_path / "cache").obtain(job(given, format="onnx_int8", precision=precision))
    kinds = {node.op_type for node in onnx.load(artifact.path).graph.node}
    assert {"QuantizeLinear", "GlobalAveragePool"} <= kinds
    assert "ReduceMean" not in kinds
    answers_nearly_as(given, artifact)


@pytest.mark.parametrize("precision", ["int8", "int8-cpu"])
def test_an_opset_without_scales_by_channel_is_one_line(tmp_path, precision):
    given = onnx_file(tmp_path / "a.onnx", opset=12)
    with pytest.raises(UserError, match=r"^no INT8 of onnx:.*: ONNX opset 12; save it with opset 13 or later$"):
        Cache(tmp_path / "cache").obtain(job(given, format="onnx_int8", precision=precision))


def test_a_dynamic_batch_is_fixed_and_a_fixed_one_is_not_changed(tmp_path):
    cache = Cache(tmp_path / "cache")
    dynamic, fixed = onnx_file(tmp_path / "a.onnx"), onnx_file(tmp_path / "b.onnx", batch=2)
    assert cache.obtain(job(dynamic, batch=4)).input_shape[0] == 4
    assert cache.obtain(job(fixed, batch=2)).remark == "as given"
    with pytest.raises(UserError, match=r"takes batches of 2: 4; save it with a dynamic batch"):
        cache.obtain(job(fixed, batch=4))


def test_a_dynamic_height_and_width_are_those_asked_for(tmp_path):
    given = onnx_file(tmp_path / "a.onnx", side_px="side")
    model = find(f"onnx:{given}@24")[0]
    artifact = Cache(tmp_path / "cache").obtain(Job(model=model, **FP32))
    shape = onnx.load(artifact.path).graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in shape[2:]] == [24, 24] == list(artifact.input_shape[2:])


def test_another_content_under_the_same_name_is_another_file(tmp_path):
    given, cache = onnx_file(tmp_path / "a.onnx"), Cache(tmp_path / "cache")
    first = cache.obtain(job(given))
    onnx_file(given, side_px=20)
    assert cache.find(job(given)) is None
    assert cache.obtain(job(given)).sha256 != first.sha256


def test_integers_as_given_are_for_integer_targets_alone(tmp_path):
    made = Cache(tmp_path / "cache").obtain(
        job(onnx_file(tmp_path / "a.onnx"), format="onnx_int8", precision="int8-cpu")
    )
    given = shutil.copyfile(made.path, tmp_path / "b.onnx")
    taken = Cache(tmp_path / "cache").obtain(job(given, format="onnx_int8", precision="int8-cpu"))
    assert taken.remark == "as given"
    with pytest.raises(
        NetworkError, match=r"no onnx file in fp32, batch dynamic, of onnx:.*it is onnx_int8 in int8 or"
    ):
        chain(job(given))


@pytest.mark.parametrize(("format_", "precision"), [("torch", "fp32"), ("tflite", "fp32"), ("tflite", "int8")])
def test_what_only_torch_can_give_is_one_line(tmp_path, format_, precision):
    given = onnx_file(tmp_path / "a.onnx")
    said = rf"no {format_} file in fp32, batch \w+, of onnx:.*: it is onnx in fp32, batch dynamic; only a torch module"
    with pytest.raises(NetworkError, match=said):
        chain(job(given, format=format_, precision=precision, batch=1 if format_ == "tflite" else None))


def test_an_fp32_file_is_not_made_of_an_fp16_one(tmp_path):
    given = onnx_file(tmp_path / "a.onnx", kind=TensorProto.FLOAT16)
    assert Cache(tmp_path / "cache").obtain(job(given, precision="fp16")).remark == "as given"
    with pytest.raises(NetworkError, match="it is onnx in fp16"):
        chain(job(given))


def damaged(tmp_path: Path) -> dict[str, Path]:
    """Files that are read but can't run: an opset that no version knows, a graph that doesn't fit, NaN."""
    newest = onnx_file(tmp_path / "opset.onnx", opset=99)
    model = onnx.load(str(onnx_file(tmp_path / "misfit.onnx")))
    model.graph.node[4].input[1] = "w"
    onnx.save(model, str(tmp_path / "misfit.onnx"))
    model = onnx.load(str(onnx_file(tmp_path / "nan.onnx")))
    model.graph.initializer[1].CopyFrom(helper.make_tensor("b", TensorProto.FLOAT, [16], [float("nan")] * 16))
    onnx.save(model, str(tmp_path / "nan.onnx"))
    return {"opset": newest, "misfit": tmp_path / "misfit.onnx", "nan": tmp_path / "nan.onnx"}


def test_what_can_not_run_costs_itself_alone_and_says_why_in_one_line(tmp_path):
    files = damaged(tmp_path) | {"good": onnx_file(tmp_path / "good.onnx")}
    jobs = {name: job(path) for name, path in files.items()}
    jobs["module"] = Job(model=find("torch:nowhere_at_all:made@16")[0], **FP32)
    made = dict(obtain_all(list(jobs.values()), tmp_path / "cache"))
    said = {name: made[each].reason for name, each in jobs.items() if isinstance(made[each], Failure)}
    assert said.keys() == {"opset", "misfit", "nan", "module"}
    assert all("\n" not in reason for reason in said.values())
    assert "ONNX Runtime can't run onnx:" in said["opset"] and "opset" in said["opset"].lower()
    assert "ONNX Runtime can't run onnx:" in said["misfit"]
    assert "gives no logits: NaN or infinity" in said["nan"]
    assert said["module"].startswith("can't import nowhere_at_all")


@pytest.fixture(scope="module")
def tflite(tmp_path_factory) -> dict[str, Path]:
    """TFLite files in FP32 and in INT8, as users bring them."""
    root, network = tmp_path_factory.mktemp("tflite"), find("timm:test_resnet@64")[0]
    files = {}
    jobs = [Job(model=network, format="tflite", precision=precision, batch=1) for precision in ("fp32", "int8")]
    for asked, artifact in obtain_all(jobs, root):
        files[asked.precision] = shutil.copyfile(artifact.path, root / f"{asked.precision}.tflite")
    return files


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_tflite_file_is_taken_as_it_is(tmp_path, tflite, precision):
    asked = job(tflite[precision], format="tflite", precision=precision, batch=1)
    assert (asked.model.resolution_px, asked.model.batch, asked.model.file.classes) == (64, 1, 1000)
    artifact = Cache(tmp_path).obtain(asked)
    assert artifact.remark == "as given"
    assert Path(artifact.path).read_bytes() == tflite[precision].read_bytes()


def test_a_tflite_file_is_quantized_and_compared_with_itself(tmp_path, tflite):
    ((_, artifact),) = obtain_all([job(tflite["fp32"], format="tflite", precision="int8", batch=1)], tmp_path)
    assert artifact.fidelity is not None and artifact.fidelity.cosine > 0.9
    images = synthetic_images(2, 64)
    expected, found = (tflite_run.run_file(path)(images) for path in (tflite["fp32"], Path(artifact.path)))
    assert 0 < np.abs(found - expected).max() < 0.5 * np.abs(expected).max()


def test_another_batch_or_format_of_a_tflite_file_is_one_line(tflite):
    for changes in ({"batch": 4}, {"format": "onnx", "precision": "fp32"}):
        asked = {"format": "tflite", "precision": "fp32", "batch": 1} | changes
        with pytest.raises(NetworkError, match="it is tflite in fp32, batch 1; only a torch module"):
            chain(job(tflite["fp32"], **asked))


def test_the_integer_file_of_one_that_was_integer_already_is_itself(tflite):
    assert len(chain(job(tflite["int8"], format="tflite", precision="int8", batch=1))) == 1
    with pytest.raises(NetworkError, match="it is tflite in int8"):
        chain(job(tflite["int8"], format="tflite", precision="fp32", batch=1))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("batch", [None, 1])
def test_an_exported_program_is_exported_like_any_torch_module(tmp_path, batch):
    import torch
    from torch import nn

    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, CLASSES))
    dynamic = None if batch else ({0: torch.export.Dim("n")},)
    program = torch.export.export(module.eval(), (torch.zeros(batch or 2, 3, 16, 16),), dynamic_shapes=dynamic)
    torch.export.save(program, tmp_path / "a.pt2")
    (model,) = find(f"pt2:{tmp_path / 'a.pt2'}")
    images = synthetic_images(3, 16)
    expected = module(torch.from_numpy(images)).detach().numpy()
    for format_, run in (("onnx", onnx_run.run_file), ("tflite", tflite_run.run_file)):
        asked = Job(model=model, format=format_, precision="fp32", batch=1 if format_ == "tflite" else None)
        artifact = Cache(tmp_path / "cache").obtain(asked)
        assert artifact.fidelity.relative_error < 1e-4
        assert run(Path(artifact.path))(images) == pytest.approx(expected, abs=1e-4)
    assert Cache(tmp_path / "cache").obtain(Job(model=model, format="torch", precision="fp32")).fidelity


def test_only_names_of_files_and_functions_differ_in_the_key(tmp_path):
    """Two paths of one file are two networks, each with an artifact of its own."""
    given = onnx_file(tmp_path / "a.onnx")
    other = shutil.copyfile(given, tmp_path / "b.onnx")
    cache = Cache(tmp_path / "cache")
    assert cache.path(job(given)) != cache.path(job(other))
    assert isinstance(job(given).model, Model)
