"""One writer of a file of records at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from system.errors import UserError


@contextmanager
def sole_writer(results: Path, target: str) -> Iterator[None]:
    """Hold `results/TARGET.lock`. Raises UserError where another process holds it, or nothing can be written."""
    from filelock import FileLock, Timeout

    lock = FileLock(results / f"{target}.lock", timeout=0)
    try:
        results.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise UserError(
            f"another sweep writes {results / target}.jsonl",
            found=f"{lock.lock_file} is held",
            fix="wait, or give --results",
        ) from error
    except OSError as error:
        raise UserError(
            f"can't write into {results}", found=error.strerror or "", fix="mend it, or give --results"
        ) from error
    with lock:
        yield
