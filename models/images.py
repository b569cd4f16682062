"""Seeded images with the spectrum of photographs, for timing, calibration and comparison."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # RGB
IMAGENET_STD = (0.229, 0.224, 0.225)


def synthetic_images(count: int, resolution_px: int, seed: int = 0) -> "NDArray[np.float32]":
    """`count` normalised RGB images (count, 3, H, W), float32: noise with the 1/f spectrum of photographs.

    White noise would average out in every pooling; these differ in brightness, contrast and large shapes, as
    photographs do, and their channels are correlated.
    """
    import numpy as np

    random = np.random.Generator(np.random.PCG64(seed))
    frequency = np.hypot(np.fft.fftfreq(resolution_px)[:, None], np.fft.rfftfreq(resolution_px)[None, :])
    falloff = 1.0 / np.maximum(frequency, 1.0 / resolution_px)
    images = np.empty((count, 3, resolution_px, resolution_px), dtype=np.float32)
    for image in images:
        noise = np.fft.rfft2(random.standard_normal((3, resolution_px, resolution_px))) * falloff
        planes = np.fft.irfft2(noise, s=(resolution_px, resolution_px))
        planes = planes / planes.std(axis=(1, 2), keepdims=True)
        planes = 0.8 * planes.mean(axis=0) * np.sqrt(3) + 0.6 * planes
        brightness, contrast = random.uniform(0.3, 0.7), random.uniform(0.1, 0.25)
        image[:] = np.clip(brightness + contrast * planes, 0.0, 1.0)
    return normalised(images)


def normalised(
    images: "NDArray[np.float32]",
    mean: tuple[float, ...] = IMAGENET_MEAN,
    std: tuple[float, ...] = IMAGENET_STD,
    out: "NDArray[np.float32] | None" = None,
) -> "NDArray[np.float32]":
    """RGB images (…, 3, H, W) from 0 to 1 with a mean and a deviation taken out, ImageNet's unless given.

    The result is a new array, or `out`, which may be `images`.
    """
    import numpy as np

    means, deviations = (np.array(values, dtype=np.float32)[:, None, None] for values in (mean, std))
    result = np.subtract(images, means, out=out)
    result /= deviations
    return result
