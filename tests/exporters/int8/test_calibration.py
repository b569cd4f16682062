"""Calibration images: what they are called, how they are prepared, and that they are part of an artifact's key."""

import numpy as np
import pytest
from PIL import Image

from exporters.artifact import Job
from exporters.cache import Cache
from exporters.int8 import calibration
from exporters.int8.calibration import (
    SYNTHETIC,
    calibration_count,
    calibration_images,
    calibration_name,
    calibration_remark,
    checked_of,
)
from exporters.int8.option import HELP
from models.model import Model
from system.errors import UserError

MEAN, STD = (np.array(values, dtype=np.float32) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
STRUCTURE = "SuperConvK3BNRELU(3,8,2,1)"


def job(folder=None, *, name="tiny", source=f"zennet:{STRUCTURE}", precision="int8", px=224):
    model = Model(name, "custom", px, source)
    return Job(model=model, format="onnx_int8", precision=precision, calibration=folder)


def photograph(path, size=(60, 40), colour=(255, 0, 0)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def test_without_a_folder_the_images_are_synthetic_and_seeded():
    images = calibration_images(job(px=32), 3)
    assert images.shape == (3, 3, 32, 32)
    assert images.dtype == np.float32
    assert np.array_equal(images, calibration_images(job(px=32), 3))
    assert calibration_name(job()) == SYNTHETIC
    assert "latency only" in SYNTHETIC


def test_images_are_normalised_rgb(tmp_path):
    photograph(tmp_path / "a.png")
    (image,) = calibration_images(job(tmp_path), 8)
    assert image.shape == (3, 224, 224)
    assert image[:, 100, 100] == pytest.approx((np.array([1, 0, 0]) - MEAN) / STD, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "source", "px", "expected"),
    [
        ("tiny", f"zennet:{STRUCTURE}", 224, 0.875),
        ("zennet_imagenet1k_latency12ms_res224", f"zennet:{STRUCTURE}", 224, 380 / 435),
        ("EfficientNet-B3", "timm:tf_efficientnet_b3", 300, 0.904),
    ],
)
def test_the_centre_crop_is_the_official_share_of_the_short_side(tmp_path, name, source, px, expected):
    # Left to right, brightness rises from 0 to 1: the crop's span is its share of the short side.
    ramp = np.linspace(0, 255, 900).astype(np.uint8)
    Image.fromarray(np.broadcast_to(ramp[None, :, None], (900, 900, 3)).copy()).save(tmp_path / "ramp.png")
    (image,) = calibration_images(job(tmp_path, name=name, source=source, px=px), 1)
    row = image[0, px // 2] * STD[0] + MEAN[0]
    assert row[-1] - row[0] == pytest.approx(expected, abs=0.01)
    assert row[0] == pytest.approx((1 - expected) / 2, abs=0.01)


def test_the_short_side_decides_and_the_centre_is_kept(tmp_path):
    pixels = np.zeros((100, 400, 3), dtype=np.uint8)
    pixels[:, 150:250] = 255
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    (image,) = calibration_images(job(tmp_path), 1)
    row = image[0, 112] * STD[0] + MEAN[0]
    assert row.min() > 0.95  # only the white middle is inside the crop


def test_a_large_folder_is_sampled_evenly(tmp_path):
    for index in range(10):
        photograph(tmp_path / f"{index}.png", colour=(25 * index,) * 3)
    images = calibration_images(job(tmp_path), 5)
    greys = np.round((images[:, 0, 0, 0] * STD[0] + MEAN[0]) * 255)
    assert greys.tolist() == [0, 50, 100, 150, 200]


@pytest.mark.parametrize(("count", "chosen"), [(1, [0]), (4, [0, 2, 5, 7]), (10, range(10)), (11, range(10))])
def test_as_many_photographs_as_recommended_are_chosen_and_fewer_are_remarked_on(tmp_path, monkeypatch, count, chosen):
    monkeypatch.setattr(calibration, "RECOMMENDED", count)
    for index in range(10):
        photograph(tmp_path / f"{index}.png", colour=(25 * index,) * 3)
    images = calibration_images(job(tmp_path, px=16), calibration_count(job(tmp_path)))
    greys = np.round((images[:, 0, 0, 0] * STD[0] + MEAN[0]) * 255 / 25)
    assert greys.tolist() == list(chosen)
    remark = f"calibrated on 10 photographs of {tmp_path.name}, 11 are recommended" if count == 11 else None
    assert calibration_remark(job(tmp_path)) == remark
    assert calibration_remark(job()) is None  # synthetic images are for latency only, which the calibration's name says


def test_five_hundred_photographs_are_recommended():
    assert calibration.RECOMMENDED == 500
    assert "500" in HELP


@pytest.mark.parametrize(
    ("count", "batch", "checked"), [(32, 1, 32), (64, 1, 64), (500, 1, 63), (96, 3, 48), (200, 100, 100)]
)
def test_a_file_is_checked_on_whole_batches_spread_over_its_images(count, batch, checked):
    images = np.arange(count, dtype=np.float32).reshape(count, 1, 1, 1)
    found = checked_of(images, batch).reshape(-1, batch)
    assert found.size == checked
    assert (np.diff(found, axis=1) == 1).all()
    assert (found[:, 0] % batch == 0).all()
    assert len(set(np.diff(found[:, 0]))) <= 1
    assert found.min() == 0


def test_subfolders_count_and_other_files_do_not(tmp_path):
    photograph(tmp_path / "n01" / "a.JPEG")
    (tmp_path / "list.txt").write_text("a.JPEG")
    assert len(calibration_images(job(tmp_path), 8)) == 1


def test_the_name_follows_the_pixels(tmp_path):
    photograph(tmp_path / "photos" / "a.png")
    first = calibration_name(job(tmp_path / "photos"))
    assert first.startswith("photos, 1 images, sha256:")
    assert calibration_name(job(tmp_path / "photos")) == first
    photograph(tmp_path / "photos" / "a.png", colour=(0, 255, 0))
    assert calibration_name(job(tmp_path / "photos")) != first


def test_calibration_is_part_of_the_key_of_integer_formats_only(tmp_path):
    photograph(tmp_path / "a.png")
    cache = Cache(tmp_path)
    assert cache.path(job()) != cache.path(job(tmp_path))
    onnx = [Job(model=job().model, format="onnx", precision="fp32", calibration=folder) for folder in (None, tmp_path)]
    assert cache.path(onnx[0]) == cache.path(onnx[1])


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"])
def test_one_unreadable_image_of_many_is_one_error_that_names_it(tmp_path, content):
    photograph(tmp_path / "a.png"), photograph(tmp_path / "c.png")
    (tmp_path / "b.png").write_bytes(content)
    with pytest.raises(UserError, match=r"can't read image .*b\.png: .*; mend or remove it") as error:
        calibration_images(job(tmp_path), 3)
    assert "\n" not in str(error.value)
    (tmp_path / "b.png").unlink()
    (tmp_path / "b.png").symlink_to("nowhere.png")
    with pytest.raises(UserError, match=r"can't read calibration image .*b\.png: No such file"):
        calibration_name(job(tmp_path))


def test_classes_do_not_matter(tmp_path):
    """A folder whose labels the evaluation would refuse calibrates all the same."""
    photograph(tmp_path / "1" / "a.png"), photograph(tmp_path / "1000" / "b.png")
    (tmp_path / "labels.txt").write_text("a.png tench")
    assert len(calibration_images(job(tmp_path), 8)) == 2


def test_an_empty_or_missing_folder_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no images in"):
        calibration_name(job(tmp_path))
    with pytest.raises(UserError, match="no folder"):
        calibration_name(job(tmp_path / "missing"))
