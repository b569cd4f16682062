"""`Depot`: the files of one host, by their content: those that came from the driver and those that were made there."""

import os
import secrets
from pathlib import Path

import msgspec

from bench.fleet.messages import Held
from exporters.artifact import Artifact, Job
from exporters.cache import Cache
from system.digest import sha256_of
from system.errors import UserError

PART_BYTES = 8_000_000  # of a file in one message, so that no message needs more of anyone's memory
_TOKEN = ".fleet"


class Depot:
    """Files below `root`, the host's own folder unless it shares the driver's.

    A file that comes in parts lies under its sha256, and counts as there only once its content was found to be that.
    Errors are UserErrors.
    """

    def __init__(self, own: Path) -> None:
        self.root = own
        self._known: dict[str, Path] = {}

    def share(self, folder: Path, token: str) -> bool:
        """Use the driver's folder of artifacts, if this host sees it: the same path holds the token there."""
        try:
            seen = secrets.compare_digest((folder / _TOKEN).read_bytes(), token.encode())
        except (OSError, ValueError):  # a path or a token that is none
            seen = False
        if seen:
            self.root = folder
        return seen

    def offered(self, artifact: Artifact) -> Held:
        """How much of a file is here already."""
        path = self._path(artifact.sha256)
        suffix_path = Path(artifact.path)
        if suffix_path.is_relative_to(self.root) and _is(suffix_path, artifact):
            self._known[artifact.sha256] = suffix_path
            return Held(size_bytes=artifact.size_bytes, whole=True)
        size_bytes = path.stat().st_size if path.exists() else 0
        if size_bytes >= artifact.size_bytes:
            if _is(path, artifact):
                self._known[artifact.sha256] = path
                return Held(size_bytes=size_bytes, whole=True)
            path.unlink(missing_ok=True)  # another program may have found out too
            size_bytes = 0
        return Held(size_bytes=size_bytes, whole=False)

    def add(self, sha256: str, offset: int, content: bytes) -> Held:
        """Write a part of a file that begins no later than what is here ends.

        Several programs of one host may bring the same file at once: each writes the same bytes to the same place.
        Raises UserError where the part begins later, or can't be written.
        """
        path = self._path(sha256)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644), "wb") as file:
                if not 0 <= offset <= file.seek(0, os.SEEK_END):
                    raise UserError(f"a part of {sha256[:12]} is out of order", found=f"{offset}", fix="offer it again")
                file.seek(offset)
                file.write(content)
        except OSError as error:
            found = error.strerror or str(error)
            raise UserError(f"can't keep a file in {self.root}", found=found, fix="make room on that host") from error
        return Held(size_bytes=offset + len(content), whole=False)

    def here(self, artifact: Artifact) -> Artifact:
        """An artifact with the path that its file has here. Raises UserError where it isn't here whole."""
        if artifact.sha256 not in self._known and not self.offered(artifact).whole:
            found = f"no file of sha256 {artifact.sha256[:12]}"
            raise UserError(f"the file of {artifact.model} isn't on the host", found=found, fix="offer it first")
        return msgspec.structs.replace(artifact, path=str(self._known[artifact.sha256]))

    def keep(self, artifact: Artifact) -> None:
        """Note where a file lies that was made here."""
        self._known[artifact.sha256] = Path(artifact.path)

    def read(self, sha256: str, offset: int) -> bytes:
        """A part of a file that was made here; empty behind its end."""
        path = self._known.get(sha256)
        if path is None:
            raise UserError("no such file was made here", found=sha256[:12], fix="make it first")
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(PART_BYTES)

    def adopt(self, job: Job, artifact: Artifact) -> Held:
        """Put a file that is here whole into this host's cache, as that of `job`."""
        Cache(self.root).adopt(job, self.here(artifact))
        return Held(size_bytes=artifact.size_bytes, whole=True)

    def _path(self, sha256: str) -> Path:
        if not (len(sha256) == 64 and all(digit in "0123456789abcdef" for digit in sha256)):
            raise UserError("no sha256", found=repr(sha256[:80]), fix="send 64 hexadecimal digits")
        return self.root / "by-content" / sha256


def token_in(folder: Path) -> str:
    """The content of the file by which a host sees that it shares a driver's folder; written where it is missing.

    Raises UserError where it can't be written.
    """
    path = folder / _TOKEN
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(16))
        except FileExistsError:
            pass
        return path.read_text(encoding="utf-8")
    except OSError as error:
        found = error.strerror or str(error)
        raise UserError(f"can't write into {folder}", found=found, fix="free or choose another folder") from error


def _is(path: Path, artifact: Artifact) -> bool:
    try:
        return path.stat().st_size == artifact.size_bytes and sha256_of(path) == artifact.sha256
    except OSError:
        return False
