"""The images that a session is shown: made once, kept whole, made again where the file holds something else."""

import numpy as np
import pytest

from devices.targets import find_targets
from exporters import input_images as kept
from exporters.cache import Cache
from exporters.input_images import input_images
from models import find
from models.images import synthetic_images

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)@32"


@pytest.fixture
def artifact(tmp_path):
    (target,) = find_targets("fake")
    return Cache(tmp_path).obtain(target.job(find(TINY)[0]))


def files(tmp_path):
    return sorted((tmp_path / "images").iterdir())


def test_they_are_made_once_and_read_from_then_on(artifact, tmp_path, monkeypatch):
    made = input_images(artifact, 3)
    assert np.array_equal(made, synthetic_images(3, 32))
    monkeypatch.setattr(kept, "synthetic_images", None)
    assert np.array_equal(input_images(artifact, 3), made)
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("damage", [b"", b"no array", b"cut"])
def test_a_damaged_file_is_made_again(artifact, tmp_path, damage):
    made = input_images(artifact, 3)
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage == b"cut" else damage)
    assert np.array_equal(input_images(artifact, 3), made)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("other", [synthetic_images(2, 32), synthetic_images(3, 32).astype("float64")])
def test_a_file_of_other_images_is_not_taken(artifact, tmp_path, other):
    made = input_images(artifact, 3)
    np.save(files(tmp_path)[0], other)
    assert np.array_equal(input_images(artifact, 3), made)


def test_where_they_can_not_be_kept_they_are_only_made(artifact, tmp_path):
    (tmp_path / "images").write_text("a file, so that there can be no such folder")
    assert np.array_equal(input_images(artifact, 3), synthetic_images(3, 32))
