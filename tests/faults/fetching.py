"""What the suite downloads, from a server on this machine: a published checkpoint and `benchmark_model`."""

import io
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import torch

from devices.phone.benchmark_tool import find_tool
from devices.phone.options import PhoneOptions
from models import UserError, checkpoint_cache, find
from models.checkpoint_cache import official_checkpoint
from models.official import Official
from tests.faults.command import TINY
from tests.file_server import Site, serving

Way = Callable[[str], Path]  # the file that lies in the cache, fetched from an address where it is missing
_TIMEOUT_S = 0.3  # of a piece, instead of half a minute


def checkpoint(address: str) -> Path:
    """`--weights official`."""
    with patch.object(checkpoint_cache, "official_of", lambda model: Official(address, "x.pth", "")):
        return official_checkpoint(find(TINY)[0])


def tool(address: str) -> Path:
    """The phones' `benchmark_model`."""
    return find_tool(PhoneOptions(benchmark_model_address=address)).path


WAYS: dict[Way, str] = {checkpoint: "weights.pth", tool: "tool"}


def content_of(way: Way) -> bytes:
    """A file that each way takes: a checkpoint, or a program of Linux that does nothing."""
    if way is tool:
        return b"\x7fELF" + random.Random(8).randbytes(30_000)
    file = io.BytesIO()
    torch.save(find(TINY)[0].build().state_dict(), file)
    return file.getvalue()


@contextmanager
def fetching(folder: Path, way: Way, content: bytes | None = None) -> Iterator[Site]:
    """A server that has the file, and an empty cache, while the block runs; nobody waits between two attempts."""
    no_pause = patch("system.download.time", SimpleNamespace(sleep=lambda seconds: None))
    soon = patch("system.download._TIMEOUT_S", _TIMEOUT_S)
    cache = patch.dict(os.environ, XDG_CACHE_HOME=str(folder / "cache"))
    shutil.rmtree(folder / "cache", ignore_errors=True)
    with serving(content_of(way) if content is None else content) as site, no_pause, soon, cache:
        yield site


def said(way: Way, address: str) -> str:
    """The one line of the error that a fetch ends in, "" where it has the file."""
    with redirect_stderr(io.StringIO()):
        try:
            assert way(address).is_file()
        except UserError as error:
            assert "\n" not in str(error)
            return str(error)
    return ""


def refused_then_had(folder: Path, way: Way, site: Site, words: str, mend: Callable[[], None]) -> None:
    """A fetch that must end in an error with these words and leave no file; once the server is mended, it has it."""
    error = said(way, site.address)
    assert words in error, (words, error)
    assert not had(folder), had(folder)
    mend()
    assert said(way, site.address) == ""
    assert had(folder)[0].read_bytes() == site.content


def had(folder: Path) -> list[Path]:
    """The whole files in the cache."""
    aside = {".json", ".part", ".lock", ".sha256"}
    return [path for path in (folder / "cache").rglob("*") if path.is_file() and path.suffix not in aside]
