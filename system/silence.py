"""Output of other tools, from Python and C++, kept from the terminal unless they fail."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO


@contextmanager
def silence() -> Iterator[None]:
    """Keep what is written to file descriptors 1 and 2 from the terminal; where the block raises, stderr shows it."""
    with tempfile.TemporaryFile() as log:
        try:
            with into(log):
                yield
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace"))
            raise


@contextmanager
def into(log: IO[bytes]) -> Iterator[None]:
    """Write to a file what is written to file descriptors 1 and 2."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(stream) for stream in (1, 2)]
    for stream in (1, 2):
        os.dup2(log.fileno(), stream)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, stream)
            os.close(copy)
