"""Files that are written whole or not at all."""

import tempfile
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
