"""What is to be said of a folder of photographs at the end: everything in it counted, and some of it named."""

from collections.abc import Mapping, Sequence

from models.photographs.classes import class_name
from models.photographs.folder import Photographs

_NAMED = 5
_LIKE_A_COUNT_FROM_ONE = 10


def counted(what: str, reasons: Mapping[str, str]) -> list[str]:
    """A line for each reason, the most frequent first: how many names have it, and the first of them."""
    names: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        names.setdefault(reason, []).append(name)
    return [f"{what}, {reason}: {some(names[reason])}" for reason in sorted(names, key=lambda each: -len(names[each]))]


def some(names: Sequence[str], kind: str = "file") -> str:
    """How many names there are, and the first of them."""
    count = f"1 {kind}" if len(names) == 1 else f"{len(names):,} {kind}s"
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{count}: {', '.join(names[:_NAMED])}{more}"


def account(found: Photographs) -> list[str]:
    """What is to be said of a folder: left-out files, images without a class, names without an image, odd classes."""
    unlabelled = {image.name: image.unlabelled for image in found.images if image.unlabelled}
    lines = counted("left out", found.left_out) + counted("no class", unlabelled)
    if found.without_image:
        lines.append(f"in the label file, but no image: {some(found.without_image, 'name')}")
    return lines + _odd_classes(found)


def _odd_classes(found: Photographs) -> list[str]:
    labels = {image.label for image in found.labelled if image.label is not None}
    if len(labels) == 1 and len(found.labelled) > 1:
        (label,) = labels
        return [f"all {len(found.labelled):,} images are of one class: {class_name(label)}"]
    if len(labels) >= _LIKE_A_COUNT_FROM_ONE and labels == set(range(1, len(labels) + 1)):
        return [f"classes 1 to {len(labels)} without 0: they are taken as ImageNet's, which are counted from 0"]
    return []
