"""The study of INT8 ranges: it judges no photograph that calibrated, and measures files as the exporters make them."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from exporters import onnx_run
from exporters.artifact import Job
from exporters.cache import Cache
from exporters.int8.calibration import calibration_count, calibration_images
from exporters.int8.prepared import prepare
from exporters.int8.ranges import extremes
from exporters.tflite_run import run_file
from exporters.to_onnx_int8 import write_corrected
from models import find
from models.images import synthetic_images
from studies.int8_calibration import formats_beside, methods_beside, two_halves
from studies.int8_files import onnx_ranges, tflite_files, write_onnx
from studies.int8_improvements import PLAIN, variants
from studies.int8_outcome import HEADING, closer_photographs, compare, joined, mcnemar, row
from studies.int8_ranges import AVERAGED, LARGEST, METHODS, least_error
from studies.photograph_crops import PX, halves, inputs_of, write_crops

SMALL = (
    "zennet-se:SuperConvK3BNRELU(3,16,2,1)SuperResIDWE2K3(16,32,2,32,1)SuperResK1K3K1(32,32,1,16,1)"
    "SuperConvK1BNRELU(32,64,1,1)@32"
)
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("artifacts"))


def job(**changes) -> Job:
    return Job(**{"model": find(SMALL)[0], "format": "onnx", "precision": "fp32"} | changes)


@pytest.fixture
def prepared(cache, tmp_path) -> Path:
    prepare(Path(cache.obtain(job()).path), tmp_path / "prepared.onnx")
    return tmp_path / "prepared.onnx"


@pytest.fixture(scope="module")
def images():
    return calibration_images(job(), calibration_count(job()))


def test_the_halves_share_no_photograph_and_leave_none_out():
    first, second = halves()
    assert not set(first) & set(second)
    assert len(first) == len(second) == 4


def test_crops_are_seeded_squares_named_after_their_photograph_the_first_the_largest(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 100, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    folders = [
        write_crops([tmp_path / "wide.png"], tmp_path / name, 3, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    crops = [[np.asarray(Image.open(path)) for path in sorted(folder.iterdir())] for folder in folders]
    assert [path.name for path in sorted(folders[0].iterdir())] == ["wide-000.png", "wide-001.png", "wide-002.png"]
    assert {crop.shape for crop in crops[0]} == {(PX, PX, 3)}
    assert all(np.array_equal(*pair) for pair in zip(crops[0], crops[1], strict=True))
    assert [np.array_equal(*pair) for pair in zip(crops[0], crops[2], strict=True)] == [True, False, False]
    centre = Image.fromarray(pixels).resize((PX, PX), Image.Resampling.BICUBIC, (30, 0, 70, 40))
    assert np.array_equal(crops[0][0], np.asarray(centre))
    inputs, shown = inputs_of(folders[0], find(SMALL)[0])
    assert (inputs.shape, shown) == ((3, 3, 32, 32), ["wide"] * 3)


def test_what_a_file_answers_is_counted_image_by_image():
    reference = np.eye(4, 10, dtype=np.float32) + np.arange(10, dtype=np.float32) / 100
    logits = reference.copy()
    logits[0] = np.roll(reference[0], 5)
    first, second = compare(reference[:2], logits[:2], ["a", "a"]), compare(reference[2:], logits[2:], ["b", "c"])
    both = joined([first, second])
    assert both.same.tolist() == [False, True, True, True]
    assert both.top5[1:].tolist() == [1, 1, 1]
    assert both.top5[0] < 1
    assert both.cosine[1:] == pytest.approx(1)
    cells = row(both, None)
    assert len(cells) == len(HEADING)
    assert cells[0] == "3 of 4"
    assert cells[-3:] == ["", "", ""]
    better = joined([compare(reference, reference, ["a", "a", "b", "c"])])
    assert row(better, both)[-3:] == ["1 / 0", "1.00", "1 of 3"]
    assert closer_photographs(both, better) == (0, 3)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_symmetric_and_certain_of_nothing_where_both_differ_alike(here, there):
    assert 0 < mcnemar(here, there) <= 1
    assert mcnemar(here, there) == pytest.approx(mcnemar(there, here))
    assert mcnemar(here, here) == 1
    assert mcnemar(0, here) == pytest.approx(min(1, 2 * 0.5**here))


def histogram(values):
    magnitude = np.abs(values).max()
    counts, edges = np.histogram(values, 512, (-magnitude, magnitude))
    return counts, edges, values.min(), values.max(), magnitude


@pytest.mark.parametrize("symmetric", [False, True])
def test_the_least_error_cuts_an_outlier_off_and_nothing_of_even_values(symmetric):
    random = np.random.default_rng(0)
    even = random.uniform(0, 1, 100_000)
    assert least_error(histogram(even), symmetric=symmetric) == pytest.approx((0, 1), abs=0.01)
    outlier = np.append(even, 2.0)
    _, high = least_error(histogram(outlier), symmetric=symmetric)
    # The sum of both errors over all values is least at 2 / (1 + N (1 or 2 / 255)² / 12).
    expected = 2 / (1 + len(even) * ((2 if symmetric else 1) / 255) ** 2 / 12)
    assert high == pytest.approx(expected, abs=0.05)


def test_every_method_gives_each_tensor_a_range_within_the_largest(prepared, images):
    by_use = onnx_ranges(prepared, images, METHODS)
    largest = by_use[False][LARGEST]
    expected = extremes(prepared, images, averaged=False)
    assert largest.keys() == expected.keys()
    for name, pair in expected.items():
        assert largest[name] == pytest.approx(pair, rel=1e-6)
    for ranges in by_use.values():
        assert ranges.keys() == set(METHODS)
        for found in ranges.values():
            for name, (low, high) in found.items():
                assert largest[name][0] - 1e-6 <= low <= high <= largest[name][1] + 1e-6
    narrower = [by_use[False]["99.9 %"][name][1] < largest[name][1] for name in largest]
    assert sum(narrower) > len(narrower) / 2


@pytest.mark.parametrize("precision", ["int8", "int8-cpu"])
def test_files_with_the_largest_ranges_are_the_exporters_own(cache, prepared, images, precision, tmp_path):
    corrected = tmp_path / "corrected.onnx"
    write_corrected(precision, prepared, corrected, images)
    write_onnx(precision, corrected, extremes(corrected, images, averaged=False), tmp_path / "x.onnx")
    own = Path(cache.obtain(job(format="onnx_int8", precision=precision)).path)
    shown = synthetic_images(4, 32, seed=7)
    assert onnx_run.run(tmp_path / "x.onnx", shown) == pytest.approx(onnx_run.run(own, shown), abs=1e-6)


def test_the_tflite_file_of_the_present_recipe_is_the_exporters_own(cache, images, tmp_path):
    fp32, own = (Path(cache.obtain(job(format="tflite", precision=each, batch=1)).path) for each in ("fp32", "int8"))
    shown, answers = synthetic_images(4, 32, seed=7), {}
    for method, path in tflite_files(fp32, images, (LARGEST, AVERAGED, "99.9 %"), tmp_path):
        answers[method] = run_file(path)(shown)
    assert list(answers) == [AVERAGED, LARGEST, "99.9 %"]
    assert np.array_equal(answers[LARGEST], run_file(own)(shown))
    assert not np.array_equal(answers[LARGEST], answers["99.9 %"])


def test_tables_have_a_row_for_each_file_and_method(cache, tmp_path):
    pair = two_halves(job(), tmp_path / "crops", 1)
    assert [half.inputs.shape for half in pair] == [(4, 3, 32, 32)] * 2
    rows = list(methods_beside(job(), pair, (LARGEST, "99.9 %"), ["int8", "tflite"], cache, tmp_path))
    assert [cells[:3] for cells in rows] == [
        [name, method, rows[at][2]]
        for at, (name, method) in enumerate(
            (name, method) for name in ("onnx_int8 int8", "tflite int8") for method in (LARGEST, "99.9 %")
        )
    ]
    assert all(cells[2].endswith(" of 8") for cells in rows)
    assert [bool(cells[-1]) for cells in rows] == [False, True, False, True]
    (fp32,) = formats_beside(job(), pair, [("onnx", "fp32")], cache)
    assert fp32[2] == "8 of 8"


def test_layers_in_fp32_and_parts_in_int8_are_what_they_are_named(prepared, images, tmp_path):
    counts = {}
    for key, path in variants(prepared, images[:4], tmp_path):
        graph = onnx.load(path).graph
        quantized = {node.output[0] for node in graph.node if node.op_type == "DequantizeLinear"}
        convs = [node for node in graph.node if node.op_type in {"Conv", "Gemm"}]
        counts[key] = [sum(node.input[at] in quantized for node in convs) for at in (0, 1)]
    for precision in ("int8", "int8-cpu"):
        _, weights = counts[precision, PLAIN]
        assert counts[precision, "first convolution in FP32"][1] == weights - 1
        assert counts[precision, "classifier in FP32"][1] == weights - 1
        assert counts[precision, "both in FP32"][1] == weights - 2
    activations, weights = counts["int8", PLAIN]
    assert counts["int8", "weights alone in INT8"] == [0, weights]
    assert counts["int8", "activations alone in INT8"] == [activations, 0]
