"""What integer formats are calibrated on: a folder of photographs, or seeded synthetic images for latency only."""

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from exporters.artifact import Job, sha256_of
from models.images import normalised, synthetic_images
from models.model import Model
from system.errors import UserError, one_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Part of every integer artifact's key: change it when `synthetic_images` changes.
SYNTHETIC = "synthetic-1, latency only"

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
_MOST = 512  # NVIDIA advises 500 for a CNN
_SEED = 2  # other images than those that are timed (0) and those of the fidelity check (1)


def is_calibrated(job: Job) -> bool:
    """Whether the file of `job` depends on calibration images."""
    return job.precision.startswith("int")


def calibration_name(job: Job) -> str:
    """What the file of `job` is calibrated on: the same name means the same pixels.

    Raises UserError where the folder holds no image or can't be read.
    """
    if job.calibration is None:
        return SYNTHETIC
    files = _files(job.calibration)
    digest = hashlib.sha256()
    for file in files:
        digest.update(bytes.fromhex(_sha256_of(file)))
    return f"{job.calibration.resolve().name}, {len(files)} images, sha256:{digest.hexdigest()}"


def calibration_images(job: Job, count: int) -> "NDArray[np.float32]":
    """Normalised RGB images (N, 3, H, W) for the network of `job`: `count`, or all where the folder has fewer.

    A folder's images are spread evenly over its sorted names and prepared as for the official evaluation.
    Raises UserError where one can't be read.
    """
    import numpy as np

    if job.calibration is None:
        return synthetic_images(count, job.model.resolution_px, seed=_SEED)
    files = _spread(_files(job.calibration), count)
    return np.concatenate([_prepare(file, job.model) for file in files])


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UserError(f"no calibration folder {folder}", found="not a folder", fix="give a folder of images")
    files = sorted(_images(folder))
    if not files:
        kinds = ", ".join(sorted(_SUFFIXES))
        raise UserError(f"no calibration images in {folder}", found=f"no file in {kinds}", fix="give a folder of those")
    return _spread(files, _MOST)


def _images(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file())


def _spread(files: list[Path], count: int) -> list[Path]:
    if len(files) <= count:
        return files
    return [files[index * len(files) // count] for index in range(count)]


def _sha256_of(file: Path) -> str:
    try:
        return sha256_of(file)
    except OSError as error:
        raise _unreadable(file, error.strerror or str(error)) from error


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise _unreadable(file, error.strerror or str(error)) from error


def _prepare(file: Path, model: Model) -> "NDArray[np.float32]":
    """One image (1, 3, H, W), as the networks' official evaluations prepare it."""
    import io

    import numpy as np
    import torch
    from PIL import Image

    crop_px, share = _crop(model)
    content = io.BytesIO(_read(file))
    try:
        with Image.open(content) as opened:
            image = opened.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:  # Pillow has no error of its own
        raise _unreadable(file, one_line(error, 120)) from error
    short_px = math.ceil(crop_px / share)
    scale = short_px / min(image.size)
    width_px, height_px = (max(short_px, round(side_px * scale)) for side_px in image.size)
    left_px, top_px = (width_px - crop_px) // 2, (height_px - crop_px) // 2
    image = image.resize((width_px, height_px), Image.Resampling.BICUBIC)
    image = image.crop((left_px, top_px, left_px + crop_px, top_px + crop_px))
    planes = normalised(np.asarray(image, dtype=np.float32).transpose(2, 0, 1)[None] / np.float32(255))
    size = (model.resolution_px, model.resolution_px)
    resized = torch.nn.functional.interpolate(torch.from_numpy(planes), size, mode="bilinear", align_corners=False)
    return np.asarray(resized.numpy(), dtype=np.float32)


def _crop(model: Model) -> tuple[int, float]:
    """The side of the centre crop in pixels, and its share of the short side."""
    kind, _, spec = model.source.partition(":")
    if kind == "timm":
        import timm

        return model.resolution_px, float(timm.get_pretrained_cfg(spec).crop_pct)
    # The ZenNets' evaluation crops larger than the network sees, and resizes after the normalisation.
    return (380 if "latency12ms" in model.name else 320), 0.875


def _unreadable(file: Path, found: str) -> UserError:
    return UserError(f"can't read calibration image {file}", found=found, fix="mend or remove it")
