"""Photographs decoded and prepared by several processes, in order, with a bounded number in memory."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from models.photographs.folder import Photograph
from models.photographs.preprocessing import Preprocessing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def prepared(
    images: Sequence[Photograph], how: Preprocessing, *, processes: int
) -> "Iterator[tuple[Photograph, NDArray[np.float32] | None, str]]":
    """Each image in order with its input (3, H, W) and the remark on it, or None and why it can't be read."""
    raise NotImplementedError
