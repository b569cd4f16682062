"""The files below a folder, links followed, and what can't be read there."""

import os
from pathlib import Path

from system.errors import UserError, printable


def files_below(folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """Every file below `folder` by its name there, and why everything else is left out, by name.

    Links are followed, but a folder is read once and none above `folder`. Hidden files and folders are left out. A link
    to nothing counts as a file. Raises UserError where `folder` itself can't be read.
    """
    files: dict[str, Path] = {}
    left_out: dict[str, str] = {}
    seen: set[tuple[int, int]] = set()
    top = Path(os.path.realpath(folder))
    folders, links = [(folder, "")], list[tuple[Path, str]]()
    while folders or links:
        path, name = (folders or links).pop()
        try:
            entries = _entries(path, top if name else None, seen)
        except OSError as error:
            reason = error.strerror or str(error)
            if not name:
                raise UserError(f"can't read {folder}", found=reason, fix="give a folder of images") from error
            left_out[f"{printable(name)}/"] = reason
            continue
        if name and not entries:
            left_out[f"{printable(name)}/"] = "an empty folder"
        for entry in entries:
            below = f"{name}/{entry.name}" if name else entry.name
            if entry.name.startswith("."):
                left_out[printable(below)] = "hidden"
            elif os.path.isdir(entry.path):  # noqa: PTH112 - Path's raises for a loop of links
                (links if entry.is_symlink() else folders).append((Path(entry.path), below))
            elif os.path.isfile(entry.path) or not os.path.exists(entry.path):  # noqa: PTH110, PTH113
                files[printable(below)] = Path(entry.path)
            else:
                left_out[printable(below)] = "a pipe, socket or device"
    return files, left_out


def _entries(path: Path, top: Path | None, seen: set[tuple[int, int]]) -> list[os.DirEntry[str]]:
    """What lies in a folder, by name. Raises OSError where it can't be read, was read before or lies above `top`."""
    status = path.stat()
    if top is not None and top.is_relative_to(os.path.realpath(path)):
        raise OSError("a link to a folder above")
    if (status.st_dev, status.st_ino) in seen:
        raise OSError("a link to a folder that is read already")
    seen.add((status.st_dev, status.st_ino))
    with os.scandir(path) as entries:
        return sorted(entries, key=lambda entry: entry.name, reverse=True)
