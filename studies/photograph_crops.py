"""Random crops of the photographs that two libraries ship, as image files: what calibrates, and what judges.

A network is never judged on a photograph that calibrated it: the photographs form two halves, each of which is used for
the one and for the other.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from models.model import Model
from models.photographs.decode import decode
from models.photographs.folder import photographs
from models.photographs.preprocessing import preprocess, preprocessing_of
from studies.lite0 import photograph_files

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PX = 256  # of a crop's file
_SMALLEST = 0.35  # of the photograph's short side


def halves() -> tuple[list[Path], list[Path]]:
    """The photographs in two halves."""
    files = sorted(photograph_files(), key=lambda file: file.name)
    return files[::2], files[1::2]


def write_crops(files: Sequence[Path], folder: Path, each: int, seed: int) -> Path:
    """Write `each` square crops of every photograph into `folder`, named after it; returns the folder.

    The first is the largest in the centre; the others lie at random, their sides evenly from 0.35 to 1 of the
    photograph's short side, every other one mirrored.
    """
    from PIL import ImageOps
    from PIL.Image import Resampling

    folder.mkdir(parents=True)
    for file in files:
        generator, image = random.Random(f"{seed} {file.name}"), decode(file)[0]
        for number in range(each):
            side_px = round(min(image.size) * (generator.uniform(_SMALLEST, 1) if number else 1))
            left_px, top_px = (
                generator.randint(0, length_px - side_px) if number else (length_px - side_px) // 2
                for length_px in image.size
            )
            box = (left_px, top_px, left_px + side_px, top_px + side_px)
            crop = image.resize((PX, PX), Resampling.BICUBIC, box)
            crop = ImageOps.mirror(crop) if number % 2 else crop
            crop.save(folder / f"{file.stem}-{number:03}.png")
    return folder


def inputs_of(folder: Path, model: Model) -> "tuple[NDArray[np.float32], list[str]]":
    """Every crop of a folder as the network's input (N, 3, H, W), and the photograph that each is of."""
    import numpy as np

    how, found = preprocessing_of(model), photographs(folder).images
    inputs = np.stack([preprocess(decode(image.path)[0], how) for image in found])
    return inputs, [image.path.stem.rpartition("-")[0] for image in found]
