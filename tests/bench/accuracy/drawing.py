"""Images that tests draw."""

from pathlib import Path

import numpy as np
from PIL import Image


def draw(path: Path, seed: int) -> Path:
    """A PNG of few colours, another one for each seed."""
    colours = np.random.default_rng(seed).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(colours).resize((40, 50), Image.Resampling.NEAREST).save(path)
    return path
