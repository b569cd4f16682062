"""Files that are written whole or not at all."""

import glob
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from system.errors import UserError


def write_whole(path: Path, content: bytes, *, fix: str) -> None:
    """Write a file in place of what was there; an interruption or a full disk leaves the old file as it was.

    Raises UserError, with `fix` as what to do, where it can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
            temporary = Path(file.name)
            try:
                file.write(content)
                file.close()
                temporary.chmod(0o644)
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UserError(f"can't write {path}", found=error.strerror or str(error), fix=fix) from error


@contextmanager
def filled_whole(folder: Path) -> Iterator[Path]:
    """A folder to fill, which takes the name `folder` if the block ends well; `folder` itself where it is there.

    What an earlier process left half filled is removed, so no two may fill the same folder at once.
    """
    if folder.exists():
        yield folder
        return
    prefix = f".{folder.name}-"
    for left in folder.parent.glob(f"{glob.escape(prefix)}*"):
        shutil.rmtree(left, ignore_errors=True)
    filling = Path(tempfile.mkdtemp(dir=folder.parent, prefix=prefix))
    try:
        yield filling
        filling.chmod(0o755)
        filling.replace(folder)
    finally:
        shutil.rmtree(filling, ignore_errors=True)


def alone(lock: Path, waiting: str) -> AbstractContextManager[object]:
    """A lock file that is held until the block ends, against other processes; `waiting` is said where one holds it.

    Raises OSError where the file can't be made.
    """
    from filelock import FileLock, Timeout

    held = FileLock(lock)
    try:
        return held.acquire(timeout=0.1)
    except Timeout:
        print(waiting, file=sys.stderr, flush=True)  # noqa: T201
        return held.acquire()


def user_cache() -> Path:
    """The folder of what all of a user's checkouts share, made or not. Raises UserError where the user has no home."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zennet-latency"
    except RuntimeError as error:  # as of a container's user that the system doesn't know
        raise UserError("there is no folder for a cache", found="no HOME", fix="set HOME or XDG_CACHE_HOME") from error
