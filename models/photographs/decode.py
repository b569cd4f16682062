"""Image files read as RGB of 8 bits, whatever they are, with a remark where they are not plain RGB."""

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from system.errors import UserError, one_line, printable

if TYPE_CHECKING:
    from PIL.Image import Image

# Kinds of files that are taken for images; PIL reads more, but none that photographs come in.
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")  # the last one lets Pillow load all its readers

# What Pillow says of one file alone: reasons are counted, and files of the same reason named together.
_OF_ONE_FILE = re.compile(r" \(\d+ bytes not processed\)")
_MEGAPIXELS_WORTH_A_REMARK = 50
# Pillow's reader of WebP takes 16 bytes for each pixel: 2.8 GB for 177 megapixels, which a file of 38 bytes may hold.
_MOST_WEBP_PX = 100_000_000
# Its reader of run-length encoded BMP is Python, and fills a line that ends early byte by byte: 12 s for the 155
# megapixels that a file of 137 bytes may hold.
_MOST_BMP_RLE_PX = 25_000_000
_ORIENTATION = 0x0112  # EXIF's tag
_UPRIGHT, _UNREADABLE = 1, -1
# How to turn what EXIF says is stored in that orientation; the names are those of Pillow's Transpose.
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


class UnreadableImage(UserError):  # noqa: N818 - named as what it is
    """A file that holds no image that can be read; `reason` is what was found, in one line."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"can't read image {printable(str(file))}", found=reason, fix="mend or remove it")
        self.reason = reason


class LargeImage(UnreadableImage):
    """An image of more pixels than were allowed."""


def decode(file: Path, *, upright: bool = False, most_px: int | None = None) -> "tuple[Image, str]":
    """The image of a file in RGB, and a remark on what it was made of, "" where it was RGB of 8 bits.

    Pixels are taken as stored, as the official evaluations do; `upright` turns them as EXIF says. Of an animation it is
    the first frame. Transparency is dropped. Values of 16 bits are cut to their upper 8, as Pillow does for RGB.
    Raises LargeImage for more than `most_px` pixels, and UnreadableImage for whatever else gives no image, which more
    than 179 megapixels do (Pillow's limit against decompression bombs), more than 100 of a WebP file, and more than 25
    of a run-length encoded BMP file.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with (
            file.open("rb") as stream,
            warnings.catch_warnings(action="ignore"),  # of large images and of damaged EXIF: the remark says it
            Image.open(stream, formats=_FORMATS) as opened,
        ):
            if most_px is not None and opened.width * opened.height > most_px:
                raise LargeImage(file, f"{opened.width} x {opened.height} pixels")
            _refuse_costly(file, opened)
            remarks = _remarks(opened)
            opened.load()
            turned = _orientation(opened)
            image = _rgb(opened)
            if upright and turned in _TURNS:
                image = image.transpose(Image.Transpose[_TURNS[turned]])
        return image, ", ".join([*remarks, *_orientation_remark(turned)])
    except UnreadableImage:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableImage(file, _no_image(file)) from error
    except MemoryError as error:
        raise UnreadableImage(file, "out of memory") from error
    except Exception as error:  # Pillow has no error of its own: its readers raise all kinds for a damaged file
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
        raise UnreadableImage(file, one_line(_OF_ONE_FILE.sub("", said), 120)) from error


def _refuse_costly(file: Path, image: "Image") -> None:
    """Refuse what Pillow reads, but with so much memory or time that a small file could stop an evaluation."""
    px = image.width * image.height
    encoded = any(tile[0] == "bmp_rle" for tile in image.tile)  # type: ignore[attr-defined]
    for kind, is_it, most_px in (
        ("WebP", image.format == "WEBP", _MOST_WEBP_PX),
        ("run-length encoded BMP", encoded, _MOST_BMP_RLE_PX),
    ):
        if is_it and px > most_px:
            raise UnreadableImage(file, f"a {kind} image of {px / 1e6:.0f} megapixels, above {most_px / 1e6:.0f}")


def _rgb(image: "Image") -> "Image":
    """A loaded image in RGB, the same one where it is RGB."""
    import numpy as np
    from PIL import Image

    if image.mode.startswith("I"):  # Pillow would cut what exceeds 255
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError("values of more than 16 bits")
        image = Image.fromarray((values >> 8).astype(np.uint8))
    return image if image.mode == "RGB" else image.convert("RGB")


def _remarks(image: "Image") -> list[str]:
    """What is to be said of an image that is opened and not loaded yet."""
    kinds = {"L": "grey", "LA": "grey", "CMYK": "CMYK", "P": "palette", "1": "black and white"}
    found = [kinds[image.mode]] if image.mode in kinds else []
    if image.mode.startswith("I") or any(";16" in str(tile[3]) for tile in image.tile):  # type: ignore[attr-defined]
        found.append("16 bits a value")
    if image.mode.endswith(("A", "a")) or "transparency" in image.info:
        found.append("transparency dropped")
    if _animated(image):
        found.append("first frame of an animation")
    if (megapixels := image.width * image.height / 1e6) > _MEGAPIXELS_WORTH_A_REMARK:
        found.append(f"{megapixels:.0f} megapixels")
    return found


def _animated(image: "Image") -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # its second frame is damaged
        return True


def _orientation(image: "Image") -> int:
    """What EXIF says of a loaded image's orientation, from 1 to 8; -1 where EXIF is damaged."""
    try:
        turned = image.getexif().get(_ORIENTATION, _UPRIGHT)
    except Exception:  # Pillow's reader raises all kinds
        return _UNREADABLE
    return turned if turned in {_UPRIGHT, *_TURNS} else _UNREADABLE


def _orientation_remark(turned: int) -> list[str]:
    if turned == _UPRIGHT:
        return []
    return ["damaged EXIF" if turned == _UNREADABLE else f"EXIF orientation {turned}"]


def _no_image(file: Path) -> str:
    return "an empty file" if not file.stat().st_size else f"no {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]} image"
