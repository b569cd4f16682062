"""One writer of a file of records at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from system.errors import UserError


@contextmanager
def sole_writer(folder: Path, target: str) -> Iterator[None]:
    """Hold `FOLDER/TARGET.lock`. Raises UserError where another process holds it, or nothing can be written."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / f"{target}.lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = lock.acquire()
    except Timeout as error:
        raise UserError(
            f"another process writes {folder / target}.jsonl",
            found=f"{lock.lock_file} is held",
            fix="wait, or give --results",
        ) from error
    except OSError as error:
        raise UserError(
            f"can't write into {folder}", found=error.strerror or str(error), fix="mend it, or give --results"
        ) from error
    with held:  # not the lock itself, which would be acquired once more and stay held
        yield
