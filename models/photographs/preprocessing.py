"""How a network's official evaluation makes its input of a photograph."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.images import IMAGENET_MEAN, IMAGENET_STD, normalised
from models.model import Model
from models.timm_networks import timm_configuration
from system.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "box", "hamming", "lanczos")
_CROP = 0.875  # the side of the crop over the short side, of ImageNet's usual evaluation: 224 of 256
# A picture of one pixel by thousands would become one of gigabytes, of which a small square is kept.
_MOST_RESIZED_PX = 50_000_000


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Resize the short side to `short_px`, crop `crop_px` at the centre, normalise, resize to `resolution_px`.

    The first resize is Pillow's of `interpolation` ("bicubic", "bilinear", …), of both sides where it may `squash`;
    the last one is bilinear without antialiasing. `mean` and `std` are of RGB values from 0 to 1.
    """

    short_px: int
    crop_px: int
    resolution_px: int
    interpolation: str = "bicubic"
    squash: bool = False
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD


def preprocessing_of(model: Model) -> Preprocessing:
    """The official preprocessing of a network.

    Source of the ZenNets': their repository's evaluation, which crops larger than the network sees and resizes after
    the normalisation; of timm's networks: timm's configuration of their default weights. Of any other network no
    evaluation is known: it gets torchvision's usual one, the crop being seven eighths of the short side.
    Raises UserError where timm has no weights of the network's tag, or its configuration asks for something else than a
    resize and a crop.
    """
    if model.kind == "timm":
        return _timm(model.spec, model.resolution_px)
    if not model.kind.startswith("zennet"):
        px = model.resolution_px
        return Preprocessing(short_px=math.ceil(px / _CROP), crop_px=px, resolution_px=px, interpolation="bilinear")
    crop_px = 380 if "latency12ms" in model.name else 320
    return Preprocessing(short_px=math.ceil(crop_px / _CROP), crop_px=crop_px, resolution_px=model.resolution_px)


def _timm(name: str, resolution_px: int) -> Preprocessing:
    import timm.data

    configuration = timm_configuration(name)
    resolved = timm.data.resolve_data_config(
        {"input_size": (3, resolution_px, resolution_px)}, configuration.to_dict() if configuration else {}
    )
    if resolved["crop_mode"] not in {"center", "squash"} or resolved["interpolation"] not in _INTERPOLATIONS:
        found = f"crop mode {resolved['crop_mode']!r}, interpolation {resolved['interpolation']!r}"
        raise UserError(f"no preprocessing for timm's {name}", found=found, fix="choose another network")
    return Preprocessing(
        short_px=math.floor(resolution_px / resolved["crop_pct"]),  # as timm's own transform rounds
        crop_px=resolution_px,
        resolution_px=resolution_px,
        interpolation=resolved["interpolation"],
        squash=resolved["crop_mode"] == "squash",
        mean=tuple(resolved["mean"]),
        std=tuple(resolved["std"]),
    )


def preprocess(image: "Image", how: Preprocessing) -> "NDArray[np.float32]":
    """The input (3, H, W), float32, that a network sees of an RGB image of 8 bits."""
    import numpy as np

    # In place throughout: fresh memory of this size costs more time than the arithmetic.
    planes = np.empty((3, how.crop_px, how.crop_px), dtype=np.float32)
    np.divide(np.asarray(_cropped(image, how)).transpose(2, 0, 1), np.float32(255), out=planes)
    normalised(planes, how.mean, how.std, out=planes)
    return planes if how.crop_px == how.resolution_px else _bilinear(planes, how.resolution_px)


def _cropped(image: "Image", how: Preprocessing) -> "Image":
    """The centre crop of the resized image, sides and offsets rounded as by torchvision's Resize and CenterCrop."""
    from PIL.Image import Resampling

    short_px = min(image.size)
    width_px, height_px = (
        how.short_px if how.squash else int(how.short_px * side_px / short_px) for side_px in image.size
    )
    left_px, top_px = (round((side_px - how.crop_px) / 2) for side_px in (width_px, height_px))
    right_px, bottom_px = left_px + how.crop_px, top_px + how.crop_px
    filter_ = Resampling[how.interpolation.upper()]
    if width_px * height_px <= _MOST_RESIZED_PX:
        return image.resize((width_px, height_px), filter_).crop((left_px, top_px, right_px, bottom_px))
    across, down = image.width / width_px, image.height / height_px
    box = (left_px * across, top_px * down, right_px * across, bottom_px * down)
    return image.resize((how.crop_px, how.crop_px), filter_, box=box)


def _bilinear(planes: "NDArray[np.float32]", side_px: int) -> "NDArray[np.float32]":
    """Square planes (3, P, P) in another size, as by torch's interpolate(mode="bilinear", align_corners=False)."""
    import numpy as np

    last = planes.shape[-1] - 1
    step = float(np.float32(planes.shape[-1] / side_px))
    # Rounded to float32 once, as by the fused multiply-add of torch's kernels.
    at = np.maximum((np.arange(side_px) + 0.5) * step - 0.5, 0).astype(np.float32)
    before = np.minimum(at.astype(np.intp), last)
    after = np.minimum(before + 1, last)
    share = at - before.astype(np.float32)
    resized = np.empty((len(planes), side_px, side_px), dtype=np.float32)
    for plane, result in zip(planes, resized, strict=True):
        rows = _mixed(plane[before], plane[after], share[:, None])
        result[:] = _mixed(rows[:, before], rows[:, after], share)
    return resized


def _mixed(
    first: "NDArray[np.float32]", second: "NDArray[np.float32]", share: "NDArray[np.float32]"
) -> "NDArray[np.float32]":
    """`first` with a share of `second`, in the memory of `first`; both are changed."""
    first *= 1 - share
    second *= share
    first += second
    return first
