"""Published checkpoints on this machine: fetched once, or put there by hand, and checked by SHA-256 on every use."""

import time
import zipfile
from pathlib import Path

import msgspec

from models.model import Model
from models.official import Official, official_of
from system.digest import sha256_of
from system.download import UndeliveredError, download
from system.errors import UserError, one_line
from system.files import alone, user_cache, write_whole
from system.unreadable import UNREADABLE

_FIX = "choose another folder by XDG_CACHE_HOME"


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """What lies beside a checkpoint: what its content was when it was first seen here."""

    address: str
    sha256: str
    size_bytes: int
    recorded_utc: str


def official_checkpoint(model: Model) -> Path:
    """The published checkpoint of a network, in the user's cache.

    It is fetched where it is missing; a file that was put there by hand is taken. Its SHA-256 is recorded then and
    compared on every later use. Raises UserError where none is published, it can't be had, or it has changed.
    """
    official = official_of(model)
    if official is None:
        raise UserError(
            f"no published checkpoint of {model.name}", found=model.source, fix="give a file, or leave --weights out"
        )
    path = user_cache() / "weights" / official.file
    try:
        # A cache that is complete may be read-only, and several processes read it at once.
        if not (path.exists() and _beside(path).exists()):
            path.parent.mkdir(parents=True, exist_ok=True)
            with alone(path.with_name(f"{path.name}.lock"), f"waiting for another process that fetches {path.name}"):
                if not path.exists():
                    _fetch(model, official, path)
                elif not _beside(path).exists():
                    _admit(official, path, path)
        _check(path)
    except OSError as error:
        raise UserError(f"can't keep checkpoint {path}", found=error.strerror or str(error), fix=_FIX) from error
    return path


def _fetch(model: Model, official: Official, path: Path) -> None:
    try:
        download(official.address, path, lambda part: _admit(official, part, path))
    except UndeliveredError as error:
        raise UserError(
            f"can't fetch the checkpoint of {model.name}",
            found=str(error),
            fix=f"download {official.address} with a browser and save it as {path}",
        ) from error


def _admit(official: Official, file: Path, path: Path) -> None:
    """Record what `file` is, which lies or will lie at `path`.

    Raises UserError where it is no checkpoint, or not the published one, or not what was recorded at first.
    """
    sha256 = sha256_of(file)
    what = str(path) if file == path else official.address
    fix = f"download {official.address} with a browser and save it as {path}"
    if not sha256.startswith(official.sha256_begins):
        found = f"sha256 {sha256[:12]}…, not {official.sha256_begins}… as in its name"
        raise UserError(f"{what} is not the published checkpoint", found=found, fix=fix)
    if (record := _read(path)) is not None and record.sha256 != sha256:
        raise _changed(path, record, sha256, f"delete {_beside(path)} if the published file may have changed")
    _refuse_other_content(file, what, fix)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    record = _Record(address=official.address, sha256=sha256, size_bytes=file.stat().st_size, recorded_utc=now)
    write_whole(_beside(path), msgspec.json.format(msgspec.json.encode(record)) + b"\n", fix=_FIX)


def _refuse_other_content(file: Path, what: str, fix: str) -> None:
    """Raises UserError where a file is no checkpoint, such as a page that asks for a login, or a damaged one."""
    from models.weights import read_state

    try:
        read_state(file)
    except UserError as error:
        raise UserError(f"{what} is no checkpoint", found=str(error), fix=fix) from error
    if damage := _damage(file):
        raise UserError(f"{what} is damaged", found=damage, fix=fix)


def _damage(file: Path) -> str:
    """What the checksums in a checkpoint say, "" where they say nothing: torch writes zip files, and reads none."""
    if not zipfile.is_zipfile(file):
        return ""
    try:
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
    except Exception as error:  # a damaged header, for which zipfile raises all kinds
        return one_line(error, 160) or type(error).__name__
    return f"wrong checksum of {damaged}" if damaged else ""


def _check(path: Path) -> None:
    """Raises UserError where the content isn't what was recorded."""
    record = _read(path)
    assert record is not None
    if (sha256 := sha256_of(path)) != record.sha256:
        raise _changed(path, record, sha256, f"delete it to fetch it again, or {_beside(path)} to take it as it is")


def _changed(path: Path, record: _Record, sha256: str, fix: str) -> UserError:
    found = f"sha256 {sha256[:12]}…, recorded was {record.sha256[:12]}…"
    return UserError(f"checkpoint {path} has changed", found=found, fix=fix)


def _read(path: Path) -> _Record | None:
    """What is recorded of the file at `path`, None where nothing is. Raises UserError where it can't be read."""
    beside = _beside(path)
    try:
        return msgspec.json.decode(beside.read_bytes(), type=_Record)
    except FileNotFoundError:
        return None
    except UNREADABLE as error:
        fix = f"delete it, and {path} too unless it is the right file"
        raise UserError(f"unreadable {beside}", found=str(error), fix=fix) from error


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")
