"""How a network's official evaluation makes its input of a photograph."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.images import IMAGENET_MEAN, IMAGENET_STD, normalised
from models.model import Model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Resize the short side to `short_px`, crop `crop_px` at the centre, normalise, resize to `resolution_px`.

    The first resize is Pillow's of `interpolation` ("bicubic", "bilinear", "lanczos", "nearest"), the last one bilinear
    without antialiasing; `mean` and `std` are of RGB values from 0 to 1.
    """

    short_px: int
    crop_px: int
    resolution_px: int
    interpolation: str = "bicubic"
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD


def preprocessing_of(model: Model) -> Preprocessing:
    """The official preprocessing of a network.

    Source of the ZenNets': their repository's evaluation, which crops larger than the network sees and resizes after
    the normalisation; of timm's networks: timm's configuration of their default weights.
    """
    kind, _, spec = model.source.partition(":")
    if kind == "timm":
        return _timm(spec, model.resolution_px)
    crop_px = 380 if "latency12ms" in model.name else 320
    return Preprocessing(short_px=math.ceil(crop_px / 0.875), crop_px=crop_px, resolution_px=model.resolution_px)


def _timm(name: str, resolution_px: int) -> Preprocessing:
    import timm

    configuration = timm.get_pretrained_cfg(name)
    if configuration is None:
        return Preprocessing(
            short_px=math.ceil(resolution_px / 0.875), crop_px=resolution_px, resolution_px=resolution_px
        )
    return Preprocessing(
        short_px=math.floor(resolution_px / configuration.crop_pct),  # as timm's own transform rounds
        crop_px=resolution_px,
        resolution_px=resolution_px,
        interpolation=configuration.interpolation,
        mean=tuple(configuration.mean),
        std=tuple(configuration.std),
    )


def preprocess(image: "Image", how: Preprocessing) -> "NDArray[np.float32]":
    """The input (3, H, W), float32, that a network sees of an RGB image of 8 bits."""
    import numpy as np

    planes = np.asarray(_cropped(image, how), dtype=np.float32).transpose(2, 0, 1) / np.float32(255)
    planes = normalised(planes, how.mean, how.std)
    if how.crop_px == how.resolution_px:
        return np.ascontiguousarray(planes)
    import torch

    size = (how.resolution_px, how.resolution_px)
    batch = torch.from_numpy(planes)[None]
    resized = torch.nn.functional.interpolate(batch, size, mode="bilinear", align_corners=False)
    return np.asarray(resized[0].numpy(), dtype=np.float32)


def _cropped(image: "Image", how: Preprocessing) -> "Image":
    """The centre crop of the resized image, sides and offsets rounded as by torchvision's Resize and CenterCrop."""
    from PIL.Image import Resampling

    short_side_px = min(image.size)
    width_px, height_px = (int(how.short_px * side_px / short_side_px) for side_px in image.size)
    left_px, top_px = (round((side_px - how.crop_px) / 2) for side_px in (width_px, height_px))
    resized = image.resize((width_px, height_px), Resampling[how.interpolation.upper()])
    return resized.crop((left_px, top_px, left_px + how.crop_px, top_px + how.crop_px))
