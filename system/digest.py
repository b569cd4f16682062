"""SHA-256 of files, computed once a process while a file is unchanged."""

import hashlib
import os
import time
from pathlib import Path

# The coarsest step of the clock by which Linux stamps files: 100 Hz.
_STAMP_STEP_S = 0.01
_digests: dict[tuple[int, int, int, int], str] = {}


def sha256_of(path: Path) -> str:
    """The hexadecimal SHA-256 of a file's content, computed once a process while the file is unchanged.

    Unchanged is what keeps its inode, size and time of modification; a file that is moved keeps all three.
    """
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if stamp not in _digests:
            # Two writes within one step of that clock look alike: wait until another one would have a later time.
            age_s = time.time() - status.st_mtime
            time.sleep(min(_STAMP_STEP_S, max(0.0, _STAMP_STEP_S - age_s)))
            _digests[stamp] = hashlib.file_digest(file, "sha256").hexdigest()
        return _digests[stamp]
