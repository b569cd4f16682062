"""A folder of photographs in ImageNet's style: which images it holds, and of which class each is."""

import functools
import re
from dataclasses import dataclass, field
from pathlib import Path

from models.photographs.decode import SUFFIXES
from system.errors import UserError

# Files that give the classes of a flat folder: lines `NAME LABEL`, parted by a blank, a tab or a comma.
LABEL_FILES = ("labels.txt", "labels.csv", "val.txt", "LOC_val_solution.csv")
_CLASSES = 1000


@dataclass(frozen=True, order=True)
class Photograph:
    """One image file; `name` is its path below the folder, `label` its class index, None where that isn't known."""

    name: str
    path: Path = field(compare=False)
    label: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Photographs:
    """The images of a folder by name, and what else lies there: `left_out` gives the reason of each by name."""

    folder: Path
    images: tuple[Photograph, ...]
    left_out: dict[str, str]

    @property
    def labelled(self) -> tuple[Photograph, ...]:
        """The images whose class is known."""
        return tuple(image for image in self.images if image.label is not None)


def photographs(folder: Path) -> Photographs:
    """Every image below `folder`, with its class where a class folder or a label file of `folder` gives it.

    A class folder is named by the synset ("n01440764") or the index from 0 ("0", "007") of an ImageNet class. A label
    file is one of `LABEL_FILES`. Images without a known class have the label None; other files are `left_out`.
    Raises UserError where there is no such folder, no image in it, or an unreadable label file.
    """
    if not folder.is_dir():
        raise UserError(f"no folder {folder}", found="not a folder", fix="give a folder of images")
    files = sorted(path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    labels = _label_file(folder)
    images, left_out = [], {}
    for path in files:
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() in SUFFIXES:
            images.append(Photograph(name, path, _label(path, folder, labels)))
        elif path.name not in LABEL_FILES and not path.name.startswith("."):
            left_out[name] = "no image by its suffix"
    if not images:
        kinds = ", ".join(SUFFIXES)
        raise UserError(f"no images in {folder}", found=f"no file in {kinds}", fix="give a folder of those")
    return Photographs(folder, tuple(images), left_out)


def spread(images: tuple[Photograph, ...], count: int) -> tuple[Photograph, ...]:
    """`count` images spread evenly over `images`, or all where there are fewer."""
    if len(images) <= count:
        return images
    return tuple(images[index * len(images) // count] for index in range(count))


def label_of(text: str) -> int | None:
    """The class index that a synset or an index from 0 names, None where it names no class of ImageNet."""
    if text.isdecimal() and text.isascii():
        return int(text) if int(text) < _CLASSES else None
    return _synsets().get(text)


def class_name(label: int) -> str:
    """ImageNet's name of a class, such as "tench, Tinca tinca" (source: timm's copy of its list)."""
    return str(_imagenet().index_to_description(label))


@functools.cache
def _imagenet() -> "timm.data.ImageNetInfo":  # type: ignore[name-defined]  # noqa: F821 - timm has no types
    import timm.data

    return timm.data.ImageNetInfo()


@functools.cache
def _synsets() -> dict[str, int]:
    return {str(_imagenet().index_to_label_name(index)): index for index in range(_CLASSES)}


def _label(path: Path, folder: Path, labels: dict[str, int | None]) -> int | None:
    if path.parent != folder:
        return label_of(path.parent.name)
    return labels.get(path.name, labels.get(path.stem))


def _label_file(folder: Path) -> dict[str, int | None]:
    """The class of each name of the folder's label file; empty where there is none."""
    found = [folder / name for name in LABEL_FILES if (folder / name).is_file()]
    if not found:
        return {}
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UserError(f"several label files in {folder}", found=names, fix="keep one of them")
    try:
        lines = found[0].read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"can't read {found[0]}", found=str(error), fix="give lines NAME LABEL") from error
    entries = [entry for entry in map(_entry, lines) if entry is not None]
    return dict(entries)


def _entry(line: str) -> tuple[str, int | None] | None:
    """Name and class of one line; None for a heading, a comment or an empty line."""
    match = re.fullmatch(r"\s*(?P<name>[^\s,#][^,\t]*?)[\s,]+(?P<label>n\d{8}|\d+)(?:[\s,].*)?", line)
    return (Path(match["name"].strip()).name, label_of(match["label"])) if match else None
