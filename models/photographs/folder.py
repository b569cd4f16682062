"""A folder of photographs in ImageNet's style: which images it holds, and of which class each is."""

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from models.photographs.classes import is_synset, label_of, refuse_counting_from_one
from models.photographs.decode import SUFFIXES
from models.photographs.labels import LABEL_FILES, LabelFile, read_label_file
from models.photographs.walk import files_below
from system.errors import UserError


@dataclass(frozen=True, order=True)
class Photograph:
    """One image file; `name` is its path below the folder, `label` its class index, None where that isn't known.

    `unlabelled` says why it isn't.
    """

    name: str
    path: Path = field(compare=False)
    label: int | None = field(default=None, compare=False)
    unlabelled: str = field(default="", compare=False)


@dataclass(frozen=True)
class Photographs:
    """The images of a folder by name, and what else lies there: `left_out` gives the reason of each by name.

    `without_image` are the names that only the label file has.
    """

    folder: Path
    images: tuple[Photograph, ...]
    left_out: dict[str, str]
    without_image: tuple[str, ...] = ()

    @property
    def labelled(self) -> tuple[Photograph, ...]:
        """The images whose class is known."""
        return tuple(image for image in self.images if image.label is not None)


def photographs(folder: Path, *, with_classes: bool = True) -> Photographs:
    """Every image below `folder`, with its class where a class folder or a label file of `folder` gives it.

    A class folder is named by the synset ("n01440764") or the index from 0 ("0", "007") of an ImageNet class, and may
    hold further folders. A label file is one of `LABEL_FILES`. Images without a known class have the label None and say
    why; whatever is no image is `left_out`. `models.photographs.account` says both in lines.
    Raises UserError where there is no such folder, no image in it, an unreadable label file, or where classes are
    counted from 1 or contradict each other.
    """
    if not folder.is_dir():
        raise UserError(f"no folder {folder}", found="not a folder", fix="give a folder of images")
    files, left_out = files_below(folder)
    file = read_label_file(folder) if with_classes else None
    names = [name for name, path in sorted(files.items()) if path.suffix.lower() in SUFFIXES]
    if not names:
        kinds = ", ".join(SUFFIXES)
        raise UserError(f"no images in {folder}", found=f"no file in {kinds}", fix="give a folder of those")
    left_out |= {name: _no_image(name) for name in files.keys() - set(names) - ({file.path.name} if file else set())}
    labels: list[tuple[int | None, str]] = [(None, "")] * len(names)
    if with_classes:
        labels = _labels([files[name].relative_to(folder).as_posix() for name in names], file, folder)
    images = (Photograph(name, files[name], *label) for name, label in zip(names, labels, strict=True))
    return Photographs(folder, tuple(images), dict(sorted(left_out.items())), file.without_image if file else ())


def spread(images: tuple[Photograph, ...], count: int) -> tuple[Photograph, ...]:
    """`count` images spread evenly over `images`, or all where there are fewer."""
    if len(images) <= count:
        return images
    return tuple(images[index * len(images) // count] for index in range(count))


def _no_image(name: str) -> str:
    if name in LABEL_FILES:  # of the folder itself, where no classes are asked for
        return "a label file"
    if name.rpartition("/")[2] in LABEL_FILES:
        return "a label file, which is read in the folder itself only"
    return "no image by its suffix"


def _class_folder(name: str) -> str:
    """The folder that gives an image its class: the nearest named as a synset, else as a number, else the nearest."""
    folders = PurePosixPath(name).parent.parts[::-1]
    return next((folder for folder in folders if is_synset(folder)), _nearest_number(folders))


def _nearest_number(folders: tuple[str, ...]) -> str:
    return next((folder for folder in folders if folder.isdecimal()), folders[0] if folders else "")


def _labels(names: list[str], file: LabelFile | None, folder: Path) -> list[tuple[int | None, str]]:
    """The class of each image, or None and why. Raises UserError where classes are counted from 1."""
    folders = [_class_folder(name) for name in names]
    refuse_counting_from_one(set(folders), str(folder))
    return [_label(name, folder, file) for name, folder in zip(names, folders, strict=True)]


def _label(name: str, folder: str, file: LabelFile | None) -> tuple[int | None, str]:
    """The class of one image, or None and why. Raises UserError where its folder and the file give two."""
    listed = file.label_of(name) if file else None
    by_folder, by_file = label_of(folder), label_of(listed or "")
    if file and by_folder is not None and by_file is not None and by_folder != by_file:
        found = f"{name}: its folder is class {by_folder}, {file.path.name} says {by_file}"
        raise UserError(f"classes in {file.path.parent} contradict each other", found=found, fix="mend one of them")
    label = by_folder if by_file is None else by_file
    return label, "" if label is not None else _why_unlabelled(folder, listed, file)


def _why_unlabelled(folder: str, listed: str | None, file: LabelFile | None) -> str:
    if file and listed is not None:
        return f"{listed!r} in {file.path.name} is no class of ImageNet"
    if file and not folder:
        return f"{file.path.name} doesn't name it"
    return f"folder {folder!r} names no class of ImageNet" if folder else "no class folder and no label file"
