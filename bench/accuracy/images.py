"""The images of an evaluation, each with the digest of its content, so that no prediction is kept for another image."""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.progress import stage
from models.photographs.folder import Photograph
from system.digest import sha256_of
from system.errors import UserError
from system.machine import usable_cores

# Threads a core that read files: most of their time they wait for the disk.
_READERS_A_CORE = 2


@dataclass(frozen=True)
class Image:
    """A photograph; `sha256` is of its content, "" where that can't be read, `stamp` says whether it is the same still.

    The stamp is of the size in bytes and the time of the last change in nanoseconds, taken before the digest.
    """

    photograph: Photograph
    sha256: str
    stamp: tuple[int, int] | None

    @property
    def name(self) -> str:
        """The file's path below the folder."""
        return self.photograph.name

    def refuse_another(self) -> None:
        """Raise UserError where the file is another one than when its digest was taken."""
        if _stamp(self.photograph) != self.stamp:
            fix = "leave the folder alone and give the same command again"
            raise UserError("an image changed while it was evaluated", found=self.name, fix=fix)


def digested(photographs: Sequence[Photograph]) -> list[Image]:
    """Each photograph with the digest of its content: 50,000 JPEG files of ImageNet's size are 6 GB to read."""
    images = []
    with (
        stage("read", len(photographs)) as bar,
        ThreadPoolExecutor(max_workers=_READERS_A_CORE * usable_cores()) as readers,
    ):
        for done, image in enumerate(readers.map(_digested, photographs), start=1):
            images.append(image)
            bar.at(done, image.name)
    return images


def digest_of(images: Iterable[Image]) -> str:
    """One digest of the names, classes and contents of images, equal where all of these are."""
    digest = hashlib.sha256()
    for image in images:
        label = "" if image.photograph.label is None else str(image.photograph.label)
        digest.update("\0".join((image.name, label, image.sha256, "")).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _digested(photograph: Photograph) -> Image:
    stamp = _stamp(photograph)
    try:
        return Image(photograph, sha256_of(photograph.path), stamp)
    except OSError:  # why it can't be read is said where it is decoded
        return Image(photograph, "", stamp)


def _stamp(photograph: Photograph) -> tuple[int, int] | None:
    try:
        status = photograph.path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
