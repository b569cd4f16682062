"""What every integer format is calibrated on: a folder's photographs, or seeded synthetic images for latency only."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from exporters.artifact import Job
from exporters.int8.option import RECOMMENDED
from models.images import synthetic_images
from models.photographs.decode import decode
from models.photographs.folder import Photograph, photographs, spread
from models.photographs.preprocessing import preprocess, preprocessing_of
from system.digest import sha256_of
from system.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Part of every integer artifact's key: change it when `synthetic_images` changes.
SYNTHETIC = "synthetic-1, latency only"

_SYNTHETIC_COUNT = 32  # they are more alike than photographs
_CHECKED = 64
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


def calibration_remark(job: Job) -> str | None:
    """What is to be said of a folder of fewer photographs than recommended; None where there is nothing to say.

    Raises UserError where the folder holds no image or can't be read.
    """
    if job.calibration is None or (count := len(_images(job.calibration))) >= RECOMMENDED:
        return None
    folder = job.calibration.resolve().name
    return f"calibrated on {count} photograph{'s' * (count != 1)} of {folder}, {RECOMMENDED} are recommended"


def calibration_count(job: Job) -> int:
    """How many images calibrate the file of `job`, where the folder has as many."""
    return _SYNTHETIC_COUNT if job.calibration is None else RECOMMENDED


def calibration_bytes(job: Job) -> int:
    """The memory, in bytes, that the images take which calibrate the file of `job`, or will calibrate it."""
    return calibration_count(job) * 3 * job.model.resolution_px**2 * 4


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


def checked_of(images: "NDArray[np.float32]", batch: int = 1) -> "NDArray[np.float32]":
    """Those calibration images on which an integer file is compared with its source: about 64, spread evenly.

    `images` are whole batches of `batch`, and so are those that are returned.
    """
    batches = images.reshape(-1, batch, *images.shape[1:])
    step = max(1, -(-len(batches) * batch // max(batch, _CHECKED)))
    return batches[::step].reshape(-1, *images.shape[1:])


def _images(folder: Path) -> tuple[Photograph, ...]:
    return spread(photographs(folder, with_classes=False).images, RECOMMENDED)


def _sha256_of(file: Path) -> str:
    try:
        return sha256_of(file)
    except OSError as error:
        wrong = f"can't read calibration image {file}"
        raise UserError(wrong, found=error.strerror or str(error), fix="mend or remove it") from error
