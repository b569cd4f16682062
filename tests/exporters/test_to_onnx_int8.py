"""INT8 ONNX: where it quantizes, that nothing else changed, and that ONNX Runtime fuses what the naive call leaves."""

from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper
from packaging.version import Version

from exporters import onnx_run, to_onnx_int8
from exporters.artifact import Job
from exporters.cache import Cache
from exporters.fidelity import check_int8_fidelity
from exporters.int8 import ranges
from exporters.int8.calibration import SYNTHETIC, calibration_images
from exporters.int8.insertion import bypass
from exporters.int8.ranges import Feed, batches, largest_magnitudes
from models import UserError, find
from tests.needs import leave_out

# Depthwise units with squeeze-excite (one with a projection, one with the identity), then plain residual units.
SMALL = (
    "zennet-se:SuperConvK3BNRELU(3,16,2,1)SuperResIDWE2K3(16,32,2,32,2)SuperResK1K3K1(32,32,1,16,1)"
    "SuperConvK1BNRELU(32,64,1,1)@32"
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("artifacts"))


def job(precision="int8", **changes) -> Job:
    return Job(**{"model": find(SMALL)[0], "format": "onnx_int8", "precision": precision} | changes)


class Artifacts:
    """The artifact of each precision that is asked for."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache

    def __getitem__(self, precision: str):
        if "fp16" in precision and Version(onnxruntime.__version__) < Version("1.31"):
            leave_out(f"onnxruntime {onnxruntime.__version__} can't check {precision}", "1.31 does")
        return self.cache.obtain(job(precision))


@pytest.fixture(scope="module")
def artifacts(cache):
    return Artifacts(cache)


@pytest.fixture(scope="module")
def model(artifacts):
    return onnx.load(artifacts["int8"].path)


@pytest.fixture(scope="module")
def source(cache):
    return Path(cache.obtain(job(format="onnx", precision="fp32")).path)


class Graph:
    def __init__(self, model):
        self.nodes = list(model.graph.node)
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        self.producers = {output: node for node in self.nodes for output in node.output}

    def of(self, kind):
        return [node for node in self.nodes if node.op_type == kind]

    def behind(self, tensor):
        """The kinds of nodes on the way back from a tensor, over quantization."""
        node = self.producers.get(tensor)
        return "image" if node is None else node.op_type

    def is_quantized(self, tensor):
        return self.behind(tensor) == "DequantizeLinear"

    def is_pooled(self, tensor):
        while (node := self.producers.get(tensor)) is not None and node.op_type in {"Conv", "Relu"}:
            tensor = node.input[0]
        return node is not None and node.op_type == "GlobalAveragePool"


def test_every_scale_is_symmetric_int8(model):
    graph = Graph(model)
    for node in graph.of("QuantizeLinear") + graph.of("DequantizeLinear"):
        zero_point = graph.constants[node.input[2]]
        assert zero_point.dtype == np.int8
        assert not zero_point.any()


def test_weights_have_a_scale_a_channel(model):
    graph = Graph(model)
    checked = 0
    for conv in graph.of("Conv") + graph.of("Gemm"):
        if not graph.is_quantized(conv.input[1]):
            continue
        quantize = graph.producers[graph.producers[conv.input[1]].input[0]]
        weights, scales = graph.constants[quantize.input[0]], graph.constants[quantize.input[1]]
        (axis,) = (attribute.i for attribute in quantize.attribute)
        assert scales.shape == (weights.shape[axis],)
        moved = np.abs(np.moveaxis(weights, axis, 0)).reshape(len(scales), -1)
        assert scales * 127 == pytest.approx(moved.max(axis=1), rel=1e-6)
        checked += 1
    assert checked == 23


def test_convolutions_are_quantized_but_for_those_of_pooled_maps(model):
    graph = Graph(model)
    kinds = Counter((graph.is_pooled(conv.input[0]), graph.is_quantized(conv.input[0])) for conv in graph.of("Conv"))
    assert set(kinds) == {(True, False), (False, True)}
    assert kinds[True, False] == 8  # two in each of four squeeze-excites
    assert graph.is_quantized(graph.of("Gemm")[0].input[0])


def test_a_sum_gets_its_skip_branch_quantized_and_its_convolution_as_it_is(model):
    graph = Graph(model)
    sums = graph.of("Add")
    assert len(sums) == 6
    skips = Counter()
    for node in sums:
        ((main, skip),) = [pair for pair in (node.input, node.input[::-1]) if not graph.is_quantized(pair[0])]
        assert graph.behind(main) == "Conv"
        assert graph.is_quantized(skip)
        shortcut = graph.producers[graph.producers[graph.producers[skip].input[0]].input[0]]
        skips[shortcut.op_type] += 1
    assert skips == {"Conv": 2, "Relu": 4}  # projections, identities


def test_squeeze_excite_stays_in_floating_point(model):
    graph = Graph(model)
    for node in graph.of("Sigmoid") + graph.of("Mul") + graph.of("GlobalAveragePool"):
        assert not any(graph.is_quantized(tensor) for tensor in node.input)


def test_activations_are_quantized_behind_the_relu(model):
    graph = Graph(model)
    behind = {
        graph.behind(node.input[0]) for node in graph.of("QuantizeLinear") if node.input[0] not in graph.constants
    }
    assert behind == {"image", "Relu", "Mul", "Conv", "Flatten"}
    projections = [node for node in graph.of("QuantizeLinear") if graph.behind(node.input[0]) == "Conv"]
    assert len(projections) == 2


def test_one_tensor_is_quantized_once(model):
    inputs = [node.input[0] for node in Graph(model).of("QuantizeLinear")]
    assert len(inputs) == len(set(inputs))


def is_depthwise(conv) -> bool:
    return any(attribute.name == "group" and attribute.i > 1 for attribute in conv.attribute)


def test_the_dense_variant_leaves_depthwise_convolutions_alone_and_nothing_else(artifacts):
    every, dense = (Graph(onnx.load(artifacts[name].path)) for name in ("int8-fp16", "int8-fp16-dense"))
    for conv in dense.of("Conv"):
        same = next(other for other in every.of("Conv") if other.name == conv.name)
        expected = every.is_quantized(same.input[0]) and not is_depthwise(conv)
        assert [dense.is_quantized(tensor) for tensor in conv.input[:2]] == [expected] * 2
    assert sum(map(is_depthwise, dense.of("Conv"))) == 4
    assert [list(map(dense.is_quantized, node.input)) for node in dense.of("Add")] == [
        list(map(every.is_quantized, node.input)) for node in every.of("Add")
    ]


def test_pairs_taken_from_depthwise_convolutions_leave_the_dense_variant(artifacts):
    model = onnx.load(artifacts["int8-fp16"].path)
    bypass(model, {node.name for node in model.graph.node if is_depthwise(node)})
    dense = onnx.load(artifacts["int8-fp16-dense"].path)
    shapes = [{(node.name, *node.input, *node.output) for node in each.graph.node} for each in (model, dense)]
    assert shapes[0] == shapes[1]


def test_the_modelopt_variant_quantizes_all_of_squeeze_excite(artifacts):
    graph = Graph(onnx.load(artifacts["int8-fp16-modelopt"].path))
    pools, gates, convs = graph.of("GlobalAveragePool"), graph.of("Mul"), graph.of("Conv")
    assert (len(pools), len(gates)) == (5, 4)  # the last pool is the classifier's
    assert all(graph.is_quantized(tensor) for gate in gates for tensor in gate.input)
    assert all(graph.is_quantized(node.input[0]) for node in pools + graph.of("Flatten"))
    assert all(graph.is_quantized(tensor) for conv in convs for tensor in conv.input[:2])


def test_without_its_pairs_and_with_the_biases_of_before_it_is_the_source(model, source, tmp_path):
    names = {}
    kept = []
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear":
            names[node.output[0]] = names[node.input[0]]
        elif node.op_type == "QuantizeLinear":
            names[node.output[0]] = node.input[0]
        else:
            kept.append(onnx.NodeProto.FromString(node.SerializeToString()))
            kept[-1].input[:] = [names.get(tensor, tensor) for tensor in node.input]
    stripped = onnx.ModelProto.FromString(model.SerializeToString())
    del stripped.graph.node[:]
    stripped.graph.node.extend(kept)
    before = Graph(onnx.load(source)).constants
    for tensor in stripped.graph.initializer:
        if tensor.name in before and not np.array_equal(numpy_helper.to_array(tensor), before[tensor.name]):
            assert len(tensor.dims) == 1
            tensor.CopyFrom(numpy_helper.from_array(before[tensor.name], tensor.name))
    onnx.save(stripped, tmp_path / "stripped.onnx")
    images = calibration_images(job(), 2)
    expected = onnx_run.run(source, images)
    assert onnx_run.run(tmp_path / "stripped.onnx", images) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_an_onnxruntime_whose_kernels_compute_other_values_checks_no_fp16_variant(cache, monkeypatch, tmp_path):
    fp32 = cache.obtain(job(format="onnx", precision="fp32"))
    monkeypatch.setattr(onnxruntime, "__version__", "1.26.0")
    with pytest.raises(UserError, match=r"no check of an int8-fp16 file: onnxruntime 1\.26\.0, wrong below 1\.31"):
        to_onnx_int8.export(job("int8-fp16"), fp32, tmp_path / "network.onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_fp16_variant_has_no_fp32_left(artifacts):
    model = onnx.load(artifacts["int8-fp16"].path)
    assert {tensor.data_type for tensor in model.graph.initializer} == {
        onnx.TensorProto.FLOAT16,
        onnx.TensorProto.INT8,
    }
    assert model.opset_import[0].version >= 19
    for value in (*model.graph.input, *model.graph.output):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT16
    scales = [Graph(model).constants[node.input[1]] for node in Graph(model).of("QuantizeLinear")]
    assert all((scale >= np.finfo(np.float16).smallest_normal).all() for scale in scales)


@pytest.mark.parametrize("precision", to_onnx_int8.FORMAT.precisions)
def test_fidelity_over_the_calibration_set_and_its_name_are_recorded(artifacts, precision):
    artifact = artifacts[precision]
    assert artifact.calibration == SYNTHETIC
    assert artifact.fidelity.images == 32
    assert artifact.fidelity.cosine > 0.99
    assert 0.9 <= artifact.fidelity.top1_agreement <= 1
    assert artifact.fidelity.relative_error > 0


@pytest.mark.parametrize("precision", to_onnx_int8.FORMAT.precisions)
def test_each_accepts_any_batch(artifacts, precision):
    assert onnx_run.run(Path(artifacts[precision].path), calibration_images(job(), 3)).shape == (3, 1000)


def test_a_fixed_batch_is_fixed(cache, artifacts):
    fixed = cache.obtain(job(batch=5))
    assert onnx.load(fixed.path).graph.input[0].type.tensor_type.shape.dim[0].dim_value == 5
    assert fixed.fidelity == artifacts["int8"].fidelity


def fused(path, tmp_path) -> Counter:
    """The kinds of nodes that ONNX Runtime runs."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(tmp_path / "fused.onnx")
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load(tmp_path / "fused.onnx").graph.node)


def test_on_the_cpu_everything_runs_as_integers_which_the_naive_call_misses(artifacts, source, tmp_path):
    from onnxruntime.quantization import quantize_static

    naive = tmp_path / "naive.onnx"
    copy = tmp_path / "source.onnx"
    copy.write_bytes(source.read_bytes())
    quantize_static(str(copy), str(naive), Feed(calibration_images(job(), 32)))
    ours, theirs = fused(artifacts["int8-cpu"].path, tmp_path), fused(naive, tmp_path)
    assert ours["QuantizeLinear"] + ours["DequantizeLinear"] == 2  # the image, and the logits
    assert ours["Conv"] + ours["FusedConv"] == 0
    assert theirs["QuantizeLinear"] + theirs["DequantizeLinear"] > 50
    assert theirs["Conv"] + theirs["FusedConv"] > 5


def test_it_is_calibrated_on_the_folder_that_was_given(cache, artifacts, tmp_path):
    from PIL import Image

    Image.new("RGB", (64, 64), (10, 200, 90)).save(tmp_path / "green.png")
    artifact = cache.obtain(job(calibration=tmp_path))
    assert artifact.calibration.startswith(f"{tmp_path.name}, 1 images")
    scale = "images_scale"
    found, other = (Graph(onnx.load(path)).constants[scale] for path in (artifact.path, artifacts["int8"].path))
    assert found == pytest.approx(np.abs(calibration_images(job(calibration=tmp_path), 1)).max() / 127, rel=1e-5)
    assert found != other


def test_a_checkpoint_that_eight_bits_ruin_is_refused():
    reference = np.eye(3, 10, dtype=np.float32)
    ruined = np.roll(reference, 1, axis=1) + 0.5 * reference
    with pytest.raises(UserError, match=r"cosine 0\.447"):
        check_int8_fidelity(job(weights=Path("trained.pth")), reference, ruined)
    assert check_int8_fidelity(job(), reference, ruined).cosine == pytest.approx(0.447, abs=1e-3)


@pytest.mark.parametrize(("px", "at_once"), [(32, 8), (224, 4), (300, 2), (528, 1), (1024, 1)])
def test_large_images_go_through_one_by_one(px, at_once):
    images = np.broadcast_to(np.float32(0), (8, 3, px, px))
    parts = list(batches(images))
    assert len(parts[0]) == at_once
    assert sum(map(len, parts)) == 8


def test_one_odd_image_widens_the_largest_range_and_not_the_averaged_one(source, tmp_path, monkeypatch):
    monkeypatch.setattr(ranges, "_PIXELS_AT_ONCE", 4 * 32 * 32)
    path = tmp_path / "source.onnx"
    path.write_bytes(Path(source).read_bytes())
    images = np.ones((12, 3, 32, 32), dtype=np.float32)  # three batches of four
    images[0] = 10
    widest, mean = (largest_magnitudes(path, images, averaged=averaged) for averaged in (False, True))
    assert (widest[onnx_run.INPUT], mean[onnx_run.INPUT]) == (10, 4)


def test_where_the_widest_range_ruins_the_logits_the_closer_one_is_kept(cache, monkeypatch, tmp_path):
    tried, cosines = [], [0.0, 0.0]

    def quantize(job, prepared, path, images, *, averaged):
        tried.append(averaged)
        path.write_bytes(Path(prepared).read_bytes())
        return to_onnx_int8._logits(path, images)

    def measure_fidelity(reference, logits):
        return msgspec.structs.replace(real(reference, logits), cosine=cosines[tried[-1]])

    real = to_onnx_int8.measure_fidelity
    monkeypatch.setattr(to_onnx_int8, "measure_fidelity", measure_fidelity)
    (model,) = find("zennet:SuperConvK3BNRELU(3,8,2,1)@32")
    job = Job(model=model, format="onnx_int8", precision="int8-cpu")
    monkeypatch.setattr(to_onnx_int8, "_quantize", quantize)
    for pair, expected in (((0.995, 0.999), [False]), ((0.3, 0.9), [False, True])):
        tried.clear()
        cosines[:] = pair
        to_onnx_int8.export(job, cache.obtain(to_onnx_int8.source(job)), tmp_path / "x.onnx")
        assert tried == expected
        assert not (tmp_path / "x.averaged.onnx").exists()
