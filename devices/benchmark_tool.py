"""Where the official `benchmark_model` for Android comes from: a path, or downloaded once."""

import os
import shutil
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporters.artifact import sha256_of
from models.errors import UserError, one_line

# The nightly build that the TFLite documentation links to. It moves, so its sha256 goes into every record.
ADDRESS = (
    "https://storage.googleapis.com/tensorflow-nightly-public/prod/tensorflow/release/lite/tools/nightly/latest/"
    "android_aarch64_benchmark_model"
)
_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Tool:
    """The program to push, and what identifies it."""

    path: Path
    sha256: str


def find_tool(options: dict[str, Any]) -> Tool:
    """The tool at option `benchmark_model`, else the one in the user's cache, downloaded first where it isn't there.

    Raises UserError where it can't be read or downloaded.
    """
    if given := options.get("benchmark_model"):
        return _read(Path(given).expanduser())
    path = _cache() / "android_aarch64_benchmark_model"
    recorded = path.with_suffix(".sha256")
    if not (path.exists() and recorded.exists() and recorded.read_text().strip() == sha256_of(path)):
        _download(str(options.get("benchmark_model_address", ADDRESS)), path)
        recorded.write_text(sha256_of(path) + "\n")
    return _read(path)


def _read(path: Path) -> Tool:
    try:
        return Tool(path, sha256_of(path))
    except OSError as error:
        found = error.strerror or str(error)
        raise UserError(f"can't read {path}", found=found, fix="give --benchmark-model the path of the tool") from error


def _download(address: str, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            part = Path(folder) / path.name
            with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as answer, part.open("wb") as file:
                shutil.copyfileobj(answer, file)
            part.replace(path)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise UserError(
            "can't download benchmark_model",
            found=one_line(getattr(error, "reason", error), 160),
            fix=f"download {address} elsewhere and give --benchmark-model PATH",
        ) from error


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zennet-latency"
