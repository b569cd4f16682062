"""Image files read as RGB of 8 bits, whatever they are, with a remark where they are not plain RGB."""

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from system.errors import UserError, one_line

if TYPE_CHECKING:
    from PIL.Image import Image

# Kinds of files that are taken for images; PIL reads more, but none that photographs come in.
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")

_MEGAPIXELS_WORTH_A_REMARK = 50
_ORIENTATION = 0x0112  # EXIF's tag
_UPRIGHT = 1


class UnreadableImage(UserError):  # noqa: N818 - named as what it is
    """A file that holds no image that can be read; `reason` is what was found, in one line."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"can't read image {file}", found=reason, fix="mend or remove it")
        self.reason = reason


def decode(file: Path, *, upright: bool = False) -> "tuple[Image, str]":
    """The image of a file in RGB, and a remark on what it was made of, "" where it was RGB or grey of 8 bits.

    Pixels are taken as stored, as the official evaluations do; `upright` turns them as EXIF says. Of an animation it is
    the first frame. Transparency is dropped. Values of 16 bits are scaled to 8. Raises UnreadableImage for anything
    else, and for an image of more than 179 megapixels (Pillow's limit against decompression bombs).
    """
    from PIL import Image, ImageOps

    try:
        content = io.BytesIO(file.read_bytes())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large images and of damaged EXIF: the remark says it
            with Image.open(content) as opened:
                remark = _remark(opened)
                image = ImageOps.exif_transpose(opened) if upright else opened
                return _rgb(image), remark
    except OSError as error:
        raise UnreadableImage(file, one_line(error.strerror or error, 120)) from error
    except Exception as error:  # Pillow has no error of its own: its readers raise all kinds for a damaged file
        raise UnreadableImage(file, one_line(error or type(error).__name__, 120)) from error


def _rgb(image: "Image") -> "Image":
    import numpy as np
    from PIL import Image

    if image.mode.startswith("I;16") or image.mode == "I":  # Pillow would cut what exceeds 255
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError("values of more than 16 bits")
        return Image.fromarray(np.asarray((values + 128) // 257, dtype=np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ValueError("values in floating point")
    return image.convert("RGB")


def _remark(image: "Image") -> str:
    kinds = {"CMYK": "CMYK", "P": "palette", "1": "black and white", "LAB": "Lab", "YCbCr": "YCbCr"}
    found = [kinds[image.mode]] if image.mode in kinds else []
    if image.mode.startswith("I"):
        found.append("16 bits a value")
    if image.has_transparency_data:
        found.append("transparency dropped")
    if (frames := getattr(image, "n_frames", 1)) > 1:
        found.append(f"the first of {frames} frames")
    if (turned := image.getexif().get(_ORIENTATION, _UPRIGHT)) != _UPRIGHT:
        found.append(f"EXIF orientation {turned}")
    if (megapixels := image.width * image.height / 1e6) > _MEGAPIXELS_WORTH_A_REMARK:
        found.append(f"{megapixels:.0f} megapixels")
    return ", ".join(found)
