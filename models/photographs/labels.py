"""The label file of a folder of photographs: which class each name has."""

import csv
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from models.photographs.classes import refuse_counting_from_one
from system.errors import UserError, one_line, printable

# Names that a label file may have. Its lines are `NAME LABEL`, parted by a blank, a tab or a comma.
LABEL_FILES = ("labels.txt", "labels.csv", "val.txt", "LOC_val_solution.csv")
_FIX = "give lines NAME LABEL, the label a synset or an index from 0"
_LABEL = r"n[0-9]{8}|-?[0-9]{1,9}"
_LABEL_AND_BOXES = rf"({_LABEL})|(n[0-9]{{8}})(?: -?[0-9]+| n[0-9]{{8}})*"  # ILSVRC's boxes stand behind the synset


@dataclass(frozen=True)
class LabelFile:
    """What a label file says: `labels` gives the label, as written, of each name as written."""

    path: Path
    labels: dict[str, str]
    _names: dict[str, str] = field(default_factory=dict)  # every way to find a name → the name as written
    _found: dict[str, str] = field(default_factory=dict)  # name as written → the image that asked for it

    def label_of(self, image: str) -> str | None:
        """The label of an image by its path below the folder, or by its name, with its suffix or without.

        Raises UserError where the same line is for two images.
        """
        whole = _normal(image)
        for asked in (whole, whole.rpartition(".")[0], *(each.rpartition("/")[2] for each in _with_stem(whole))):
            name = self._names.get(asked)
            if name is not None:
                first = self._found.setdefault(name, image)
                if first != image:
                    found = f"{name!r} is {first} and {image}"
                    raise UserError(f"{self.path} is ambiguous", found=found, fix="give paths below the folder")
                return self.labels[name]
        return None

    @property
    def without_image(self) -> tuple[str, ...]:
        """The names that no image has asked for."""
        return tuple(printable(name) for name in self.labels if name not in self._found)


def read_label_file(folder: Path) -> LabelFile | None:
    """The label file of a folder, None where it has none.

    Raises UserError where there are several, or one can't be read, contradicts itself or counts classes from 1.
    """
    found = [folder / name for name in LABEL_FILES if (folder / name).exists()]
    if not found:
        return None
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UserError(f"several label files in {folder}", found=names, fix="keep one of them")
    (path,) = found
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"can't read {path}", found=one_line(error), fix=_FIX) from error
    labels = _labels(path, text)
    refuse_counting_from_one(set(labels.values()), str(path))
    return LabelFile(path, labels, _ways(labels))


def _labels(path: Path, text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    heading_may_come = True
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        entry = _entry(line)
        if entry is None and not heading_may_come:
            found = f"line {number}: {one_line(line, 60)!r}"
            raise UserError(f"can't read {path}", found=found, fix=_FIX)
        heading_may_come = False
        if entry is not None and labels.setdefault(*entry) != entry[1]:
            found = f"line {number}: {entry[0]!r} is {entry[1]}, and was {labels[entry[0]]}"
            raise UserError(f"{path} contradicts itself", found=found, fix="keep one of them")
    if not labels:
        raise UserError(f"can't read {path}", found="no line of a name and a label", fix=_FIX)
    return labels


def _entry(line: str) -> tuple[str, str] | None:
    """Name and label of one line as they are written, None where it holds none, as a heading does."""
    for name, label in (_fields(line.split("\t")), _fields(_comma_separated(line)), _fields(line.rsplit(None, 1))):
        match = re.fullmatch(_LABEL_AND_BOXES, label)
        if name and match:
            return name, match[1] or match[2]
    return None


def _fields(fields: list[str]) -> tuple[str, str]:
    name, label = [*fields, "", ""][:2]
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1]
    return name, label.strip()


def _comma_separated(line: str) -> list[str]:
    try:
        return next(csv.reader([line], skipinitialspace=True), [])
    except csv.Error:
        return []


def _ways(labels: dict[str, str]) -> dict[str, str]:
    """Every way to find a name: as written, and by its last part where only one name has it."""
    ways = {_normal(name): name for name in labels}
    short: dict[str, list[str]] = {}
    for name in labels:
        short.setdefault(_normal(name).rpartition("/")[2], []).append(name)
    return {last: names[0] for last, names in short.items() if len(names) == 1} | ways


def _normal(name: str) -> str:
    """A path with slashes, whose accents are single characters: file systems differ in how they write them."""
    return unicodedata.normalize("NFC", name).replace("\\", "/").removeprefix("./")


def _with_stem(path: str) -> tuple[str, str]:
    return path, path.rpartition(".")[0]
