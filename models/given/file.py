"""`GivenFile`: what a network's file that comes from outside says of itself."""

from dataclasses import dataclass, replace
from pathlib import Path

from system.digest import sha256_of
from system.errors import UserError

CHANNELS = 3  # of an image


@dataclass(frozen=True, kw_only=True)
class GivenFile:
    """One file: `format` and `precisions` are those of `exporters` that it is of as it is.

    `format` is `pt2` of torch's exported program, which is no format of theirs: files are made from it. `batch` None is
    a dynamic one, `resolution_px` None a dynamic height and width, `classes` None an unknown number of outputs.
    """

    path: str
    format: str
    precisions: tuple[str, ...]
    batch: int | None
    resolution_px: int | None
    classes: int | None
    sha256: str = ""


def image_side_px(height: int | None, width: int | None, path: Path) -> int | None:
    """The side of a square image, None where it is dynamic. Raises UserError where it is no square."""
    if height != width:
        raise UserError(
            f"{path} takes no square images", found=f"height {height or 'any'}, width {width or 'any'}", fix=ONE_IMAGE
        )
    return height


ONE_IMAGE = "give a network with one input, RGB images (N, 3, H, W) or (N, H, W, 3) in a TFLite file, H equal to W"


def with_digest(file: GivenFile, *others: Path) -> GivenFile:
    """The description of a file with the SHA-256 of its content, and of what lies beside it. Raises OSError."""
    digests = [sha256_of(path) for path in (Path(file.path), *others)]
    if len(digests) == 1:
        return replace(file, sha256=digests[0])
    import hashlib

    return replace(file, sha256=hashlib.sha256("".join(digests).encode()).hexdigest())
