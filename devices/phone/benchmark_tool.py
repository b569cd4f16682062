"""Where the official `benchmark_model` for Android comes from: a path, or downloaded once."""

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

from devices.phone.options import PhoneOptions
from system.digest import sha256_of
from system.download import UndeliveredError, download
from system.errors import UserError
from system.files import alone, user_cache


@dataclass(frozen=True)
class Tool:
    """The program to push, and what identifies it."""

    path: Path
    sha256: str


def find_tool(options: PhoneOptions) -> Tool:
    """The tool at option `benchmark_model`, else the one in the user's cache, downloaded first where it isn't there.

    Each `benchmark_model_address` has a file of its own there. Raises UserError where the tool can't be read, kept or
    downloaded.
    """
    if options.benchmark_model:
        return _read(Path(options.benchmark_model).expanduser())
    address = options.benchmark_model_address
    path = user_cache() / f"{hashlib.sha256(address.encode()).hexdigest()[:12]}-android_aarch64_benchmark_model"
    try:
        if not _is_whole(path):
            _download(address, path)
    except OSError as error:
        found = error.strerror or str(error)
        raise UserError(f"can't keep benchmark_model at {path}", found=found, fix="set XDG_CACHE_HOME") from error
    return _read(path)


def _recorded(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _is_whole(path: Path) -> bool:
    """Whether the file is there as it was when it came. Raises OSError."""
    recorded = _recorded(path)
    return path.exists() and recorded.exists() and recorded.read_bytes().strip() == sha256_of(path).encode()


def _read(path: Path) -> Tool:
    try:
        return Tool(path, sha256_of(path))
    except OSError as error:
        found = error.strerror or str(error)
        raise UserError(f"can't read {path}", found=found, fix="give --benchmark-model the path of the tool") from error


def _download(address: str, path: Path) -> None:
    """Put what lies at the address into the file. Raises OSError where the file can't be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with alone(path.with_suffix(".lock"), f"waiting for another process, which fetches {path.name}"):
            if _is_whole(path):  # by now: another process had it
                return
            download(address, path, functools.partial(_refuse_page, address))  # else whatever lies there: it moves
            _recorded(path).write_text(sha256_of(path) + "\n")
    except UndeliveredError as error:
        raise UserError("can't download benchmark_model", found=str(error), fix=_elsewhere(address)) from error


def _refuse_page(address: str, file: Path) -> None:
    """Raises UserError where a file is a page, such as one that asks for a login, whatever its server called it."""
    with file.open("rb") as content:
        begin = content.read(200).lstrip().lower()
    if begin.startswith((b"<!doctype html", b"<html")):
        raise UserError("can't download benchmark_model", found="an HTML page instead", fix=_elsewhere(address))


def _elsewhere(address: str) -> str:
    return f"download {address} elsewhere and give --benchmark-model PATH"
