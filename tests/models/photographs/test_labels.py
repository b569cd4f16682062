"""Label files: ILSVRC's formats and what people write, read as they mean it or refused with the line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models import UserError
from models.photographs.account import account
from models.photographs.folder import photographs
from models.photographs.labels import read_label_file


def folder_of(tmp_path, *names, file="labels.txt", text):
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2)).save(path)
    (tmp_path / file).write_bytes(text.encode() if isinstance(text, str) else text)
    return tmp_path


def labels(folder):
    return {image.name: image.label for image in photographs(folder).images}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("labels.txt", "a b.JPEG 281\nc.png 0\n"),
        ("labels.txt", "a b.JPEG\t281\nc.png\t0"),
        ("labels.csv", "file,class\r\na b.JPEG,281\r\nc.png,0\r\n"),
        ("labels.csv", '"a b.JPEG", 281\n"c.png", 0\n'),
        ("labels.csv", "\ufeffa b,n02123045\nc,n01440764\n"),
        ("val.txt", "val/a b.JPEG 281\n./c.png 000\n"),
        ("val.txt", "# ours\n\n/data/ILSVRC/val/a b.JPEG 281\n\\\\server\\val\\c.png 0\n"),
        ("val.txt", "a b.JPEG n02123045\rc.png n01440764\r"),
        (
            "LOC_val_solution.csv",
            "ImageId,PredictionString\na b,n02123045 85 1 499 272\nc,n01440764 1 2 3 4 n01440764 5 6 7 8 \n",
        ),
    ],
)
def test_each_format_is_read(tmp_path, file, text):
    assert labels(folder_of(tmp_path, "a b.JPEG", "c.png", file=file, text=text)) == {"a b.JPEG": 281, "c.png": 0}


@pytest.mark.parametrize("name", ["photo 3 copy.png", "a,b.png", "photo, 12 b.png", "3 4.png", "'q'.png", "#.png"])
def test_names_with_blanks_commas_and_numbers_are_taken_whole(tmp_path, name):
    text = f'"{name}",5' if "," not in name else f"{name} 5"
    assert labels(folder_of(tmp_path, name, text=f"x.png 6\n{text}\n"))[name] == 5


def test_accents_match_however_the_file_system_writes_them(tmp_path):
    assert labels(folder_of(tmp_path, "u\u0308.png", text="\u00fc.png 5")) == {"u\u0308.png": 5}


def test_a_label_file_labels_images_in_folders_by_path_or_by_name(tmp_path):
    folder = folder_of(tmp_path, "images/a.png", "images/b.png", text="images/a.png 1\nb.png 2")
    assert labels(folder) == {"images/a.png": 1, "images/b.png": 2}


def test_names_without_image_and_images_without_name_are_counted(tmp_path):
    folder = folder_of(
        tmp_path, "a.png", "b.png", "c.png", "d.png", text="a.png 1\nb.png 1000\nx.png 2\nc.png -1\n0.png 0"
    )
    found = photographs(folder)
    assert {image.name: image.label for image in found.images} == {
        "a.png": 1,
        "b.png": None,
        "c.png": None,
        "d.png": None,
    }
    assert account(found) == [
        "no class, '1000' in labels.txt is no class of ImageNet: 1 file: b.png",
        "no class, '-1' in labels.txt is no class of ImageNet: 1 file: c.png",
        "no class, labels.txt doesn't name it: 1 file: d.png",
        "in the label file, but no image: 2 names: x.png, 0.png",
    ]
    assert found.left_out == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "no line of a name and a label"),
        ("file class\n", "no line of a name and a label"),
        ("a.png 1\nb.png tench\n", r"line 2: 'b\.png tench'"),
        ("a.png 1\n\n281 b.png\n", r"line 3: '281 b\.png'"),
        ("a.png 1\na.png 2\n", r"line 2: 'a\.png' is 2, and was 1"),
        ("a.png 1\nb.png 1000\n", "a class 1000 and no class 0"),
        (b"\xff\xfea\x00", "can't decode byte"),
        ("a.png " + "9" * 5000, "no line of a name and a label"),
        ('a.png 1\n"' + "x" * 200_000 + '",2 \n', "line 2"),
    ],
)
def test_what_cannot_be_meant_is_one_error_that_names_the_file(tmp_path, text, found):
    folder = folder_of(tmp_path, "a.png", text=text)
    with pytest.raises(UserError, match=found) as error:
        photographs(folder)
    assert "labels.txt" in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400
    unread = photographs(folder, with_classes=False)
    assert (len(unread.images), unread.left_out) == (1, {"labels.txt": "a label file"})


def test_one_line_for_two_images_is_ambiguous(tmp_path):
    folder = folder_of(tmp_path, "x/a.png", "y/a.png", text="a.png 1")
    with pytest.raises(UserError, match=r"ambiguous: 'a\.png' is x/a\.png and y/a\.png; give paths below the folder"):
        photographs(folder)


def test_a_class_folder_and_a_label_file_may_not_differ(tmp_path):
    folder = folder_of(tmp_path, "7/a.png", "8/b.png", text="a.png 7")
    assert labels(folder) == {"7/a.png": 7, "8/b.png": 8}
    (folder / "labels.txt").write_text("a.png 8")
    with pytest.raises(UserError, match=r"7/a\.png: its folder is class 7, labels\.txt says 8"):
        photographs(folder)


def test_two_label_files_are_one_too_many(tmp_path):
    folder_of(tmp_path, "a.png", text="a.png 1")
    folder = folder_of(tmp_path, file="val.txt", text="a.png 2")
    with pytest.raises(UserError, match=r"several label files in .*: labels\.txt, val\.txt"):
        photographs(folder)


def test_a_label_file_that_is_a_folder_is_an_error(tmp_path):
    folder = folder_of(tmp_path, "a.png", file="x", text="")
    (folder / "labels.txt").mkdir()
    with pytest.raises(UserError, match=r"can't read .*labels\.txt"):
        photographs(folder)


_NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\\\0\"'#", exclude_categories=("C", "Z")), min_size=1
)


@settings(max_examples=200)
@given(st.dictionaries(_NAMES.map(lambda name: f"{name}.png"), st.integers(0, 999), min_size=1), st.sampled_from(" \t"))
def test_what_is_written_is_read(tmp_path_factory, written, blank):
    folder = tmp_path_factory.mktemp("labels")
    (folder / "labels.txt").write_text("".join(f"{name}{blank}{label}\n" for name, label in written.items()), "utf-8")
    file = read_label_file(folder)
    assert file is not None
    assert {name: int(label) for name, label in file.labels.items()} == written


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_any_bytes_are_labels_or_one_error(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("labels")
    (folder / "labels.txt").write_bytes(content)
    try:
        file = read_label_file(folder)
    except UserError as error:
        assert "labels.txt" in str(error)
        assert "\n" not in str(error)
    else:
        assert file is not None
        assert file.labels
