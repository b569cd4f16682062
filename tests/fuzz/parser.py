"""`Parser`: one reader of outside data, as it is fuzzed and as its corpus is tested."""

import contextlib
import functools
import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from system.errors import UserError

CORPUS = Path(__file__).with_name("corpus")
# How inputs are changed beside libFuzzer's own ways (tests/fuzz/mutate.py).
Shape = Literal["bytes", "json lines", "msgpack", "png", "zip"]


@dataclass(frozen=True)
class Parser:
    """`feed` gives an input to the product and checks what comes of it; only `allowed` may be raised.

    `words` are pieces of the grammar, which libFuzzer puts into inputs; `like` is a parser whose corpus it takes too.
    """

    name: str
    feed: Callable[[bytes], None]
    shape: Shape = "bytes"
    words: tuple[str, ...] = ()
    allowed: tuple[type[Exception], ...] = (UserError,)
    like: str = ""

    @property
    def folders(self) -> list[Path]:
        """Where its corpus lies."""
        return [folder for name in (self.name, self.like) if name and (folder := CORPUS / name).is_dir()]

    def corpus(self) -> list[Path]:
        """Its seeds and its past findings."""
        return [path for folder in self.folders for path in sorted(folder.iterdir())]


def attempt(parser: Parser, content: bytes) -> None:
    """Give an input to a parser. Raises whatever its users would see as a traceback, AssertionError for a wrong result.

    What the parser allows is refused in one line, or else it is raised too.
    """
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        try:
            parser.feed(content)
        except parser.allowed as error:
            _refuse_several_lines(error)


def refused(call: Callable[[], object]) -> bool:
    """Whether a call ends in a UserError, where an input is given to several readers."""
    try:
        call()
    except UserError as error:
        _refuse_several_lines(error)
        return True
    return False


def _refuse_several_lines(error: Exception) -> None:
    if isinstance(error, UserError):
        assert len(str(error).splitlines()) == 1, f"an error of several lines: {error}"


def text_of(content: bytes) -> str:
    """An input as text, whatever its bytes are, as programs' output is read."""
    return content.decode("utf-8", "replace")


@functools.cache
def _root() -> "tempfile.TemporaryDirectory[str]":
    memory = Path("/dev/shm")  # a hundred times as fast as some disks
    return tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory if memory.is_dir() else None)


@contextlib.contextmanager
def a_file(name: str, content: bytes) -> Iterator[Path]:
    """A file of that content, which is removed afterwards, as is all that was written beside it."""
    with a_folder() as folder:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        yield path


@contextlib.contextmanager
def a_folder() -> Iterator[Path]:
    """An empty folder, which is removed afterwards."""
    with tempfile.TemporaryDirectory(dir=_root().name) as folder:
        yield Path(folder)
