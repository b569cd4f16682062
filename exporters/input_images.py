"""The images that a session on a GPU is shown, kept as a file in the cache: making 64 of them takes up to seconds."""

import io
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from exporters.artifact import Artifact
from models.images import synthetic_images
from system.errors import UserError
from system.files import write_whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Part of the file's name: change it when `synthetic_images` changes.
_VERSION = 1


def input_images(artifact: Artifact, batch: int) -> "NDArray[np.float32]":
    """`batch` synthetic images of an artifact's resolution (batch, 3, H, W), float32.

    They are made where the cache lacks them or holds something else; where they can't be kept they are only made.
    """
    px = artifact.input_shape[-1] or 0
    path = Path(artifact.path).parents[1] / "images" / f"{batch}x3x{px}x{px}-v{_VERSION}.npy"
    kept = _read(path)
    if kept is not None and kept.shape == (batch, 3, px, px) and kept.dtype == "float32":
        return kept
    images = synthetic_images(batch, px)
    with suppress(UserError):
        write_whole(path, _encoded(images), fix="free or choose another folder")
    return images


def _read(path: Path) -> "NDArray[np.float32] | None":
    import numpy as np

    try:
        images: NDArray[np.float32] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):  # it isn't there, or it is damaged
        return None
    return images


def _encoded(images: "NDArray[np.float32]") -> bytes:
    import numpy as np

    file = io.BytesIO()
    np.save(file, images)
    return file.getvalue()
