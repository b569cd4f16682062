"""ImageNet's 1000 classes: their indices, synsets and names."""

import functools
import re
from collections.abc import Collection

from system.errors import UserError

CLASSES = 1000


def label_of(text: str) -> int | None:
    """The class index that a synset or an index from 0 names, None where it names no class of ImageNet."""
    if re.fullmatch(r"[0-9]{1,9}", text):
        return int(text) if int(text) < CLASSES else None
    return _synsets().get(text) if is_synset(text) else None


def class_name(label: int) -> str:
    """ImageNet's name of a class, such as "tench, Tinca tinca" (source: timm's copy of its list)."""
    return str(_imagenet().index_to_description(label))


def synset_of(label: int) -> str:
    """The synset of a class, such as "n01440764"."""
    return str(_imagenet().index_to_label_name(label))


def is_synset(text: str) -> bool:
    """Whether a text is written as a synset, of ImageNet's classes or another."""
    return re.fullmatch(r"n[0-9]{8}", text) is not None


def refuse_counting_from_one(names: Collection[str], where: str) -> None:
    """Raise UserError where the numbers among `names` count ImageNet's classes from 1: all would be one class off."""
    numbers = {int(name) for name in names if re.fullmatch(r"[0-9]{1,9}", name)}
    if CLASSES in numbers and 0 not in numbers:
        raise UserError(
            f"{where} counts classes from 1",
            found="a class 1000 and no class 0",
            fix="name them by synset, or from 0 in the order of the synsets (ILSVRC's own ids are in another order)",
        )


@functools.cache
def _imagenet() -> "timm.data.ImageNetInfo":  # type: ignore[name-defined]  # noqa: F821 - timm has no types
    import timm.data

    return timm.data.ImageNetInfo()


@functools.cache
def _synsets() -> dict[str, int]:
    return {synset_of(index): index for index in range(CLASSES)}
