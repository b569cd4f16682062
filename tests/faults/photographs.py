"""Damaged folders of photographs: images among sound ones, label files, processes that are killed."""

import multiprocessing
import os
import random
import signal
from pathlib import Path

from models import UserError
from models.photographs.folder import photographs
from models.photographs.pool import prepared
from models.photographs.preprocessing import Preprocessing
from tests.faults.damage import damaged
from tests.faults.given import KINDS, image_of

_HOW = Preprocessing(short_px=36, crop_px=32, resolution_px=32)


def images(folder: Path) -> tuple[int, str]:
    """Photographs of an evaluation (JPEG, PNG, WebP, BMP), damaged, among sound ones."""
    count = 0
    for kind in KINDS:
        for number, broken in enumerate(damaged(image_of(kind), 15, 50)):
            (folder / f"{number:02}.{kind}").write_bytes(broken)
            (folder / f"{number:02}-sound.{kind}").write_bytes(image_of(kind))
            count += 1
    unreadable = 0
    for image, values, said in prepared(photographs(folder).images, _HOW, processes=2):
        assert values is not None or said
        assert values is not None or "sound" not in image.name
        unreadable += values is None
    return count, f"{unreadable} left out and named with the reason, the others still images; every sound one prepared"


def labels(folder: Path) -> tuple[int, str]:
    """A label file, damaged."""
    names = [f"{number}.png" for number in range(20)]
    for name in names:
        (folder / name).touch()
    text = "".join(f"{name} {17 * number}\n" for number, name in enumerate(names))
    versions, refused = list(damaged(text.encode(), 16, 60)), 0
    for broken in versions:
        (folder / "labels.txt").write_bytes(broken)
        try:
            found = photographs(folder)
            assert all(image.label is not None or image.unlabelled for image in found.images)
        except UserError as error:
            assert "labels.txt" in str(error)
            assert "\n" not in str(error)
            refused += 1
    rest = "of the others every image has a class or the reason why not"
    return len(versions), f"{refused} refused with one error that names the file; {rest}"


def killed(folder: Path) -> tuple[int, str]:
    """A process that prepares photographs, killed at a random moment."""
    for number in range(40):
        (folder / f"{number:02}.png").write_bytes(image_of("png"))
    found, dice, kills, lost = photographs(folder).images, random.Random(17), 12, 0
    for _ in range(kills):
        at, names = dice.randrange(len(found)), []
        for number, (image, values, said) in enumerate(prepared(found, _HOW, processes=2)):
            names.append(image.name)
            assert values is not None or "killed" in said
            lost += values is None
            if number == at:
                for process in multiprocessing.active_children()[:1]:
                    os.kill(process.pid or 0, signal.SIGKILL)
        assert names == [image.name for image in found]
    return kills, f"every image prepared in order but {lost} that a killed process had, which are named with the reason"
