"""`Predictor`: an artifact loaded on a target to be asked what it answers, rather than how fast."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Predictor(Protocol):
    """An artifact loaded as its sessions load it: the same file, provider, precision, threads and batch."""

    ran_on: dict[str, str | int]  # where it truly runs, as its sessions say

    def predict(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits (N, classes), float32, of normalised images (N, 3, H, W), float32; N is the target's batch.

        Raises UserError where the device fails.
        """

    def close(self) -> None:
        """Free the device."""
