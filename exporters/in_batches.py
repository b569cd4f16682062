"""Images shown to what takes batches of one size."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def in_batches(
    run: "Callable[[NDArray[np.float32]], NDArray[np.float32]]", images: "NDArray[np.float32]", batch: int | None
) -> "NDArray[np.float32]":
    """What `run` gives for images (N, 3, H, W), shown `batch` at a time, or at once where it takes any number."""
    import numpy as np

    if batch is None:
        return run(images)
    parts = [run(filled)[:count] for filled, count in filled_batches(images, batch)]
    return np.concatenate(parts)


def filled_batches(images: "NDArray[np.float32]", batch: int) -> "Iterator[tuple[NDArray[np.float32], int]]":
    """Images in batches of `batch`, each with how many of it are new: the last one is filled with its last image."""
    import numpy as np

    for start in range(0, len(images), batch):
        part = images[start : start + batch]
        yield np.concatenate([part, np.repeat(part[-1:], batch - len(part), axis=0)]), len(part)
