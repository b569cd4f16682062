"""Folders of photographs with names and entries that nobody expects."""

import os
import socket
from pathlib import Path

from models.photographs.folder import photographs
from models.photographs.pool import prepared
from models.photographs.preprocessing import Preprocessing
from tests.faults.command import TINY, command
from tests.faults.given import image_of

_HOW = Preprocessing(short_px=36, crop_px=32, resolution_px=32)
_NAMES = (
    b"line\nfeed.png",
    b"carriage\rreturn.png",
    b"tab\t.png",
    b"escape\x1b[2Jred.png",
    b"no text \xff\xfe.png",
    b" blanks .png",
    b"'quotes\".png",
    b"-rf.png",
    b"\xe2\x80\xae left.png",
    b"a" * 250 + b".png",
    b"*?[x].png",
    b"{{1+1}}<b>.PNG",
)


def names(folder: Path) -> tuple[int, str]:
    """Images whose names have line feeds, escape sequences, bytes that are no text, quotes, or 250 letters."""
    for name in _NAMES:
        (Path(os.fsdecode(bytes(folder))) / os.fsdecode(name)).write_bytes(image_of("png"))
    found = photographs(folder)
    assert len(found.images) == len(_NAMES), found.left_out
    for image, values, _ in prepared(found.images, _HOW, processes=2):
        assert values is not None
        assert image.name.isprintable(), image.name
    paths = ["--accuracy", folder, "--artifacts", folder / ".artifacts", "--results", folder / ".results"]
    ended = command("bench", "cpu", "--model", TINY, *paths, timeout=300)
    assert ended.returncode == 0, ended.stderr
    assert "\x1b[2J" not in ended.stdout + ended.stderr
    return len(_NAMES), "every one is evaluated; no name reaches a terminal as it is"


def entries(folder: Path) -> tuple[int, str]:
    """Named pipes, sockets, devices, empty files, folders and dangling links that are called *.png."""
    photos = folder / "photographs"
    photos.mkdir()
    (photos / "sound.png").write_bytes(image_of("png"))
    os.mkfifo(photos / "pipe.png")
    (photos / "zero.png").symlink_to("/dev/zero")
    (photos / "terminal.png").symlink_to("/dev/tty")
    (photos / "to-pipe.png").symlink_to(photos / "pipe.png")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(photos / "socket.png"))
    (photos / "folder.png").mkdir()
    (photos / "empty.png").touch()
    (photos / "nowhere.png").symlink_to(folder / "none")
    (photos / "process.png").symlink_to("/proc/self/mem")
    found = photographs(photos)
    read = {image.name: values is not None for image, values, _ in prepared(found.images, _HOW, processes=2)}
    assert [name for name, sound in read.items() if sound] == ["sound.png"]
    unread = set(found.left_out) | {name for name, sound in read.items() if not sound}
    assert len(unread) == 9, unread
    return len(
        unread
    ), "left out and named with the reason, without being opened where that would wait; the sound one is read"


def links(folder: Path) -> tuple[int, str]:
    """Links that go in a circle: to their own folder, to the one above, to each other, to themselves."""
    photos = folder / "photographs"
    (photos / "deep" / "er").mkdir(parents=True)
    (photos / "deep" / "er" / "sound.png").write_bytes(image_of("png"))
    (photos / "here").symlink_to(photos)
    (photos / "deep" / "er" / "up").symlink_to(photos / "deep")
    (photos / "above").symlink_to(folder)
    (photos / "self.png").symlink_to(photos / "self.png")
    (photos / "one.png").symlink_to(photos / "two.png")
    (photos / "two.png").symlink_to(photos / "one.png")
    (photos / "again").symlink_to(photos / "deep" / "er")
    found = photographs(photos)
    read = [image.name for image, values, _ in prepared(found.images, _HOW, processes=2) if values is not None]
    assert read == ["deep/er/sound.png"], read
    return 7, "each folder is read once; the links that lead nowhere are named with the reason"


def vanishing(folder: Path) -> tuple[int, str]:
    """Images that are removed, emptied or replaced while the others are prepared, and a folder that is removed."""
    count = 60
    for number in range(count):
        (folder / f"{number:02}.png").write_bytes(image_of("png"))
    found, names = photographs(folder).images, []
    for number, (image, values, said) in enumerate(prepared(found[:50], _HOW, processes=2)):
        names.append(image.name)
        assert values is not None or said, image.name
        if number == 0:
            (folder / "40.png").unlink(missing_ok=True)
            (folder / "45.png").write_bytes(b"")
            (folder / "47.png").write_bytes(image_of("jpeg"))
    assert names == [image.name for image in found[:50]]
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    gone = [said for _, values, said in prepared(found[50:], _HOW, processes=2) if values is None]
    folder.mkdir()
    assert len(gone) == 10
    assert all("No such file" in said for said in gone), gone
    return 4, "each is left out and named with the reason, or was read before; the order stays"
