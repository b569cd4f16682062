"""Damaged files that a user gives: targets, checkpoints, calibration images."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image

from exporters.artifact import Job
from exporters.int8.calibration import calibration_images
from models import UserError, find
from tests.faults.command import TINY, command, one_error
from tests.faults.damage import damaged

KINDS = ("jpeg", "png", "webp", "bmp")


def _refused(function: Callable[[], object], naming: Path | str = "") -> bool:
    """Whether it raised a UserError of one line that names the file; any other exception stops the run."""
    try:
        function()
    except UserError as error:
        assert "\n" not in str(error)
        assert str(naming) in str(error)
        return True
    return False


def targets(folder: Path) -> tuple[int, str]:
    """A file of targets (`--targets`), damaged."""
    path, refused = folder / "targets.toml", 0
    text = '[mine]\ntitle = "Mine"\nruntime = "fake"\nformat = "fake"\nprecision = "fp32"\nbatch = 1\ndevice = "CPU"\n'
    versions = list(damaged(text.encode(), 11, 40))
    for broken in versions:
        path.write_bytes(broken)
        ended = command("devices", "--targets", path)
        if ended.returncode:
            assert str(path) in one_error(ended)
            refused += 1
    return len(versions), f"{refused} refused with one error that names the file, the others still valid"


def checkpoints(folder: Path) -> tuple[int, str]:
    """A checkpoint (`--weights`): damaged, of another network, or another kind of file."""
    model, path = find(TINY)[0], folder / "weights.pth"
    state, refused, cases = model.build().state_dict(), 0, 0
    for zipped in (True, False):
        torch.save(state, path, _use_new_zipfile_serialization=zipped)
        for broken in damaged(path.read_bytes(), 12, 60):
            path.write_bytes(broken)
            refused += _refused(lambda: model.build(path))
            cases += 1
    others = ([1, 2], {"epoch": 3}, {}, state | {"more": torch.ones(1)}, dict(list(state.items())[1:]))
    for content in others:
        torch.save(content, path)
        assert _refused(lambda: model.build(path))
    assert "checkpoint" in one_error(command("exporters", TINY, "--to", "onnx", "--weights", folder, "--out", folder))
    rest = "the others are valid, with other weights"
    return cases + len(others) + 1, f"{refused + len(others) + 1} refused with one error; {rest}; never a crash"


def calibration(folder: Path) -> tuple[int, str]:
    """Calibration images (JPEG, PNG, WebP, BMP), damaged, and a folder without any."""
    job, refused, cases = Job(model=find(TINY)[0], format="onnx", precision="int8", calibration=folder), 0, 0
    assert _refused(lambda: calibration_images(job, 1), folder)
    for kind in KINDS:
        path = folder / f"image.{kind}"
        for broken in damaged(image_of(kind), 13, 50):
            path.write_bytes(broken)
            refused += _refused(lambda: calibration_images(job, 1), path)
            cases += 1
        path.unlink()
    return cases + 1, f"{refused + 1} refused with one error that names the file, the others still images"


def image_of(kind: str) -> bytes:
    """A small photograph of noise as a file of that kind."""
    pixels = random.Random(14).randbytes(48 * 40 * 3)
    file = io.BytesIO()
    Image.frombytes("RGB", (48, 40), pixels).save(file, kind)
    return file.getvalue()
