"""What integer formats are calibrated on: a folder of photographs, or seeded synthetic images for latency only."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from exporters.artifact import Job, sha256_of
from models.images import synthetic_images
from models.photographs.decode import decode
from models.photographs.folder import Photograph, photographs, spread
from models.photographs.preprocessing import preprocess, preprocessing_of
from system.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Part of every integer artifact's key: change it when `synthetic_images` changes.
SYNTHETIC = "synthetic-1, latency only"

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
    images = _images(job.calibration)
    digest = hashlib.sha256()
    for image in images:
        digest.update(bytes.fromhex(_sha256_of(image.path)))
    return f"{job.calibration.resolve().name}, {len(images)} images, sha256:{digest.hexdigest()}"


def calibration_images(job: Job, count: int) -> "NDArray[np.float32]":
    """Normalised RGB images (N, 3, H, W) for the network of `job`: `count`, or all where the folder has fewer.

    A folder's images are spread evenly over its sorted names and prepared as for the official evaluation.
    Raises UserError where one can't be read.
    """
    import numpy as np

    if job.calibration is None:
        return synthetic_images(count, job.model.resolution_px, seed=_SEED)
    how, px = preprocessing_of(job.model), job.model.resolution_px
    chosen = spread(_images(job.calibration), count)
    images = np.empty((len(chosen), 3, px, px), dtype=np.float32)
    for index, image in enumerate(chosen):
        images[index] = preprocess(decode(image.path)[0], how)
    return images


def _images(folder: Path) -> tuple[Photograph, ...]:
    return spread(photographs(folder, with_classes=False).images, _MOST)


def _sha256_of(file: Path) -> str:
    try:
        return sha256_of(file)
    except OSError as error:
        wrong = f"can't read calibration image {file}"
        raise UserError(wrong, found=error.strerror or str(error), fix="mend or remove it") from error
