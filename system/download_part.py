"""What has arrived of a file that is being downloaded: two files beside it, the content and what it is of."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

import msgspec

from system.errors import UserError
from system.files import write_whole
from system.unreadable import UNREADABLE

_FIX = "free some space, or choose another folder by XDG_CACHE_HOME"


class _State(msgspec.Struct, frozen=True, kw_only=True):
    """What a part is of: `validator` is the ETag or date by which a server knows whether its file is still the same."""

    address: str
    validator: str
    size_bytes: Annotated[int, msgspec.Meta(ge=1)]


class Part:
    """The part of the file `path` that has arrived from `address`, in this run or in an earlier one."""

    def __init__(self, path: Path, address: str) -> None:
        self.path, self._described = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.part.json")
        self._address = address
        self.state: _State | None = None
        try:
            state = msgspec.json.decode(self._described.read_bytes(), type=_State)
        except (OSError, *UNREADABLE):
            return
        if state.address == address and self.size_bytes <= state.size_bytes:
            self.state = state

    @property
    def size_bytes(self) -> int:
        """How much of it is there."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def is_whole(self) -> bool:
        """Whether all of it is there."""
        return self.state is not None and self.size_bytes == self.state.size_bytes

    def begin(self, validator: str | None, size_bytes: int | None) -> None:
        """Forget what has arrived; without a validator and a size nothing can be resumed later."""
        self.discard()
        if validator and size_bytes:
            self.state = _State(address=self._address, validator=validator, size_bytes=size_bytes)
            write_whole(self._described, msgspec.json.encode(self.state), fix=_FIX)

    def append(self, pieces: Iterable[bytes], size_bytes: int | None, show: Callable[[int, int | None], None]) -> None:
        """Write what arrives until the file is of that size, or until nothing arrives any more.

        Raises UserError where it can't be written.
        """
        try:
            file = self.path.open("ab")
        except OSError as error:
            raise self._unkept(error) from error
        with file:
            for piece in pieces:
                try:
                    file.write(piece)
                    file.flush()
                except OSError as error:
                    raise self._unkept(error) from error
                show(file.tell(), size_bytes)
                if file.tell() == size_bytes:  # not every server closes the connection then
                    return

    def discard(self) -> None:
        """Remove what has arrived. Raises UserError where it can't be removed."""
        self.state = None
        try:
            self._described.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unkept(error) from error

    def finish(self, path: Path) -> None:
        """Give the whole file its name."""
        self.path.replace(path)
        self._described.unlink(missing_ok=True)

    def _unkept(self, error: OSError) -> UserError:
        return UserError(f"can't write {self.path}", found=error.strerror or str(error), fix=_FIX)
