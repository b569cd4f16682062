"""`Predictor`: an artifact loaded on a target to be asked what it answers, rather than how fast."""

from typing import TYPE_CHECKING, Protocol

from devices.targets import Target
from exporters.artifact import Artifact
from system.errors import UserError

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


class Loaded(Protocol):
    """What a runtime has loaded of an artifact: its session times it, its predictor asks it for logits."""

    ran_on: dict[str, str | int]

    def logits(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits (N, classes), float32, of images (N, 3, H, W), float32 and contiguous, in an array of their own.

        It neither changes the images nor reads them once it has returned.
        """

    def close(self) -> None:
        """Free the device."""


class LoadedPredictor:
    """The Predictor of what a runtime has loaded; it takes images of the artifact's shape and the target's batch."""

    def __init__(self, loaded: Loaded, artifact: Artifact, target: Target) -> None:
        self.ran_on, self._shape = loaded.ran_on, images_shape(artifact, target)
        self._loaded: Loaded | None = loaded

    def predict(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits of one batch. Raises UserError where the images are of another shape, or the device fails."""
        import numpy as np

        assert self._loaded is not None, "closed"
        check_images(images, self._shape)
        return self._loaded.logits(np.ascontiguousarray(images))

    def close(self) -> None:
        """Free the device; a second call does nothing."""
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            loaded.close()


def images_shape(artifact: Artifact, target: Target) -> tuple[int, int, int, int]:
    """The shape of the images that a predictor takes: (N, 3, H, W), N being the target's batch."""
    _, channels, height, width = (size or 0 for size in artifact.input_shape)
    return target.batch, channels, height, width


def check_images(images: "NDArray[np.float32]", shape: tuple[int, int, int, int]) -> None:
    """Raise UserError where images are no float32 array of a shape."""
    if images.shape != shape or images.dtype != "float32":
        sizes, wanted = ("x".join(map(str, sizes)) for sizes in (images.shape, shape))
        fix = f"give {wanted} of float32: the target's batch, three channels, the network's resolution"
        raise UserError("no images for this artifact", found=f"{sizes} of {images.dtype}", fix=fix)
