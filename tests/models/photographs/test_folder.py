"""Folders of photographs: which files are images, of which class each is, and that nothing is left out in silence."""

import os
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models import UserError
from models.photographs.account import account, some
from models.photographs.classes import class_name, label_of, synset_of
from models.photographs.folder import Photograph, photographs, spread


@pytest.fixture
def image(tmp_path):
    """Writes an image below the folder and returns its path."""

    def write(name):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2)).save(path)
        return path

    return write


def labels(folder):
    return {each.name: each.label for each in photographs(folder).images}


def test_class_folders_are_synsets_or_indices_from_0(tmp_path, image):
    for name in ("n01440764/a.JPEG", "n15075141/b.jpg", "7/c.png", "007/d.png", "0/e.webp", "999/f.gif"):
        image(name)
    found = photographs(tmp_path)
    assert labels(tmp_path) == {
        "0/e.webp": 0,
        "007/d.png": 7,
        "7/c.png": 7,
        "999/f.gif": 999,
        "n01440764/a.JPEG": 0,
        "n15075141/b.jpg": 999,
    }
    assert (account(found), found.left_out, len(found.labelled)) == ([], {}, 6)


def test_the_names_are_those_of_imagenet():
    assert (class_name(0), synset_of(0), class_name(281)) == ("tench, Tinca tinca", "n01440764", "tabby, tabby cat")
    assert [label_of(text) for text in ("n01440764", "0999", "1000", "-1", "١", "n00000000", "", "9" * 5000)] == [
        0,
        999,
        *[None] * 6,
    ]


def test_a_class_folder_may_hold_folders_and_lie_in_one(tmp_path, image):
    for name in ("val/n01440764/images/a.png", "2012/n01443537/1/b.png", "5/more/c.png"):
        image(name)
    assert labels(tmp_path) == {"2012/n01443537/1/b.png": 1, "5/more/c.png": 5, "val/n01440764/images/a.png": 0}


def test_images_of_no_class_are_counted_and_say_why(tmp_path, image):
    for name in ("cats/a.png", "cats/b.png", "n99999999/c.png", "d.png", "3/e.png", "4/f.png"):
        image(name)
    found = photographs(tmp_path)
    assert [each.name for each in found.labelled] == ["3/e.png", "4/f.png"]
    assert account(found) == [
        "no class, folder 'cats' names no class of ImageNet: 2 files: cats/a.png, cats/b.png",
        "no class, no class folder and no label file: 1 file: d.png",
        "no class, folder 'n99999999' names no class of ImageNet: 1 file: n99999999/c.png",
    ]


def test_folders_that_count_from_1_are_refused_rather_than_one_class_off(tmp_path, image):
    for number in (1, 500, 1000):
        image(f"{number}/a.png")
    with pytest.raises(UserError, match=r"counts classes from 1: a class 1000 and no class 0; name them by synset"):
        photographs(tmp_path)
    assert len(photographs(tmp_path, with_classes=False).images) == 3
    image("0/a.png")  # then they count from 0, and the class 1000 is unknown
    assert labels(tmp_path) == {"0/a.png": 0, "1/a.png": 1, "1000/a.png": None, "500/a.png": 500}


def test_a_few_classes_counted_from_1_are_worth_a_remark(tmp_path, image):
    for number in range(1, 11):
        image(f"{number}/a.png")
    assert account(photographs(tmp_path)) == [
        "classes 1 to 10 without 0: they are taken as ImageNet's, which are counted from 0"
    ]


def test_one_class_is_worth_a_remark(tmp_path, image):
    image("n01440764/a.png"), image("n01440764/b.png")
    assert account(photographs(tmp_path)) == ["all 2 images are of one class: tench, Tinca tinca"]


def test_what_is_no_image_is_named(tmp_path, image):
    image("0/a.png")
    for name in ("0/._a.png", ".DS_Store", "0/Thumbs.db", "notes.txt", "0/labels.txt", "archive.tar.gz"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "1").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "b.png").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "to-pipe.png").symlink_to("pipe.png")  # opened, it would wait for a writer forever
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    assert photographs(tmp_path).left_out == {
        ".DS_Store": "hidden",
        ".git": "hidden",
        "0/._a.png": "hidden",
        "0/Thumbs.db": "no image by its suffix",
        "0/labels.txt": "a label file, which is read in the folder itself only",
        "1/": "an empty folder",
        "archive.tar.gz": "no image by its suffix",
        "notes.txt": "no image by its suffix",
        "pipe.png": "a pipe, socket or device",
        "to-pipe.png": "a pipe, socket or device",
        "zero.png": "a pipe, socket or device",
    }


def test_a_folder_named_like_an_image_is_a_folder(tmp_path, image):
    image("0/x.jpg/a.png")
    assert labels(tmp_path) == {"0/x.jpg/a.png": 0}


def test_links_are_followed_once_and_never_upwards(tmp_path, image):
    image("val/0/a.png")
    folder, other = tmp_path / "val", tmp_path / "elsewhere" / "1"
    image("elsewhere/1/b.png")
    (folder / "1").symlink_to(other)
    (folder / "again").symlink_to(folder / "0")
    (folder / "0" / "up").symlink_to(tmp_path)
    (folder / "0" / "loop").symlink_to(folder)
    (folder / "0" / "self").symlink_to("self")
    (folder / "0" / "gone.png").symlink_to("nowhere.png")
    (folder / "0" / "link.png").symlink_to(other / "b.png")
    found = photographs(folder)
    # A link to nothing is an image that can't be read, which its decoding says.
    assert labels(folder) == {"0/a.png": 0, "0/gone.png": 0, "0/link.png": 0, "1/b.png": 1}
    assert found.left_out == {
        "0/loop/": "a link to a folder above",
        "0/self": "no image by its suffix",
        "0/up/": "a link to a folder above",
        "again/": "a link to a folder that is read already",
    }


def test_a_folder_that_cannot_be_read_is_named(tmp_path, image, monkeypatch):
    image("0/a.png"), image("1/b.png")
    scandir = os.scandir

    def refusing(path):
        if str(path) == refused:
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)  # root may read everything
    refused = str(tmp_path / "1")
    assert photographs(tmp_path).left_out == {"1/": "Permission denied"}
    refused = str(tmp_path)
    with pytest.raises(UserError, match=r"can't read .*: Permission denied"):
        photographs(tmp_path)


def test_names_that_are_no_text_are_escaped(tmp_path, image):
    image("0/a.png")
    for name in (b"0/\xff.png", b"0/line\nfeed.png", "0/\u00fc ber.png".encode()):
        os.link(tmp_path / "0" / "a.png", tmp_path / os.fsdecode(name))
    found = photographs(tmp_path)
    assert [each.name for each in found.images] == ["0/\\udcff.png", "0/a.png", "0/line\\nfeed.png", "0/ü ber.png"]
    assert all(each.path.read_bytes() for each in found.images)


def test_no_images_and_no_folder_are_errors(tmp_path):
    with pytest.raises(UserError, match="no images in"):
        photographs(tmp_path)
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(UserError, match=r"no images in .*: no file in .bmp, .gif"):
        photographs(tmp_path)
    for path in (tmp_path / "missing", tmp_path / "a.txt"):
        with pytest.raises(UserError, match="no folder"):
            photographs(path)


@given(st.integers(0, 50), st.integers(1, 60))
def test_a_spread_is_even_in_order_and_without_repeats(total, count):
    images = tuple(Photograph(f"{index:03}", None) for index in range(total))
    chosen = spread(images, count)
    assert list(chosen) == sorted(set(chosen))
    assert len(chosen) == min(total, count)
    steps = [int(after.name) - int(before.name) for before, after in pairwise(chosen)]
    assert not steps or max(steps) - min(steps) <= 1


def test_many_names_are_counted_and_a_few_named():
    assert some(["a"]) == "1 file: a"
    assert some([f"{index}" for index in range(1234)], "name") == "1,234 names: 0, 1, 2, 3, 4 and 1,229 more"
