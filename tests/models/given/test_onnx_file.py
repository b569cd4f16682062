import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto
from onnx.external_data_helper import convert_model_to_external_data

from models.given.onnx_file import read_onnx
from system.errors import UserError
from tests.onnx_files import CLASSES, onnx_file


@pytest.mark.parametrize(("batch", "side_px"), [("n", 16), (1, 16), (4, "side")])
def test_a_file_says_its_batch_and_its_resolution_or_that_they_are_dynamic(tmp_path, batch, side_px):
    found = read_onnx(onnx_file(tmp_path / "a.onnx", batch=batch, side_px=side_px))
    fixed = [size if isinstance(size, int) else None for size in (batch, side_px)]
    assert [found.batch, found.resolution_px] == fixed
    assert (found.format, found.precisions, found.classes) == ("onnx", ("fp32",), CLASSES)
    assert len(found.sha256) == 64


def test_half_precision_and_integers_are_told_apart(tmp_path):
    half = onnx_file(tmp_path / "half.onnx", kind=TensorProto.FLOAT16)
    assert read_onnx(half).precisions == ("fp16",)
    model = onnx.load(str(onnx_file(tmp_path / "a.onnx")))
    model.graph.node.insert(0, onnx.helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]))
    onnx.save(model, str(tmp_path / "q.onnx"))
    assert read_onnx(tmp_path / "q.onnx").format == "onnx_int8"


def test_weights_that_are_listed_as_inputs_are_none(tmp_path):
    assert read_onnx(onnx_file(tmp_path / "a.onnx", weights_as_inputs=True)).batch is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"also": ("mask",)}, r"a\.onnx has 2 inputs: x, mask; give a network with one input"),
        ({"channels": 1}, r"the input of .*a\.onnx is no batch of images: x of shape \(any, 1, 16, 16\)"),
        ({"domain": "org.mine"}, r"a\.onnx has custom operators: org\.mine\.Conv; give a network of ONNX's own"),
        ({"kind": TensorProto.DOUBLE}, r"the input of .*a\.onnx is no batch of images: DOUBLE"),
    ],
)
def test_what_is_no_image_classifier_is_one_line(tmp_path, changes, said):
    with pytest.raises(UserError, match=said):
        read_onnx(onnx_file(tmp_path / "a.onnx", **changes))


def test_a_type_that_there_is_none_of_is_one_line(tmp_path):
    model = onnx.load(str(onnx_file(tmp_path / "a.onnx")))
    model.graph.input[0].type.tensor_type.elem_type = 99
    onnx.save(model, str(tmp_path / "a.onnx"))
    with pytest.raises(UserError, match=r"the input of .*a\.onnx is no batch of images: values of type 99"):
        read_onnx(tmp_path / "a.onnx")


def test_images_that_are_not_square_are_one_line(tmp_path):
    model = onnx.load(str(onnx_file(tmp_path / "a.onnx")))
    model.graph.input[0].type.tensor_type.shape.dim[3].dim_value = 20
    onnx.save(model, str(tmp_path / "a.onnx"))
    with pytest.raises(UserError, match=r"a\.onnx takes no square images: height 16, width 20"):
        read_onnx(tmp_path / "a.onnx")


def external(path, location: str):
    model = onnx.load(str(path))
    convert_model_to_external_data(model, location="w.bin", size_threshold=0)
    onnx.save(model, str(path))
    model = onnx.load(str(path), load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = location
    onnx.save(model, str(path))
    return path


def test_weights_beside_the_file_are_part_of_what_it_is(tmp_path):
    path = external(onnx_file(tmp_path / "a.onnx"), "w.bin")
    before = read_onnx(path).sha256
    weights = tmp_path / "w.bin"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
    assert read_onnx(path).sha256 != before
    weights.unlink()
    with pytest.raises(UserError, match=r"a\.onnx lacks its weights: no w\.bin beside it"):
        read_onnx(path)


@pytest.mark.parametrize("location", ["../w.bin", "/etc/hostname"])
def test_weights_outside_its_folder_are_refused(tmp_path, location):
    (tmp_path / "in").mkdir()
    with pytest.raises(UserError, match=r"a\.onnx has weights outside its folder"):
        read_onnx(external(onnx_file(tmp_path / "in" / "a.onnx"), location))


def test_more_than_a_file_can_hold_is_refused_before_it_is_read(tmp_path):
    path = external(onnx_file(tmp_path / "a.onnx"), "w.bin")
    with (tmp_path / "w.bin").open("r+b") as file:
        file.truncate(5_000_000_000)  # takes no room: nothing is written
    with pytest.raises(UserError, match=r"a\.onnx is too large: 5\.0 GB with its weights"):
        read_onnx(path)


def test_no_such_file_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"can't read .*a\.onnx: No such file or directory"):
        read_onnx(tmp_path / "a.onnx")


@given(st.data())
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "damaged.onnx"
    content = bytearray(onnx_file(path).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        read_onnx(path)
    except UserError as error:
        assert "\n" not in str(error)
