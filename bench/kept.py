"""What Ctrl-C leaves of a measurement, said before it ends the command."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def saying_when_interrupted(what_is_kept: str) -> Iterator[None]:
    """Print a line on stderr where the block is interrupted, and let the interruption go on."""
    try:
        yield
    except KeyboardInterrupt:
        print(what_is_kept, file=sys.stderr)  # noqa: T201
        raise
