"""Which version of this suite runs: right or absent, since every record says it."""

import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_DISTRIBUTION = "zennet-latency"
_ROOT = Path(__file__).resolve().parents[2]  # the folder that contains the suite's packages


def suite_version() -> str | None:
    """The version, such as "0.2.0"; of a checkout with its git commit, ".dirty" behind it where files differ.

    The commit is a local version label (PEP 440): "0.2.0+g5c6c07d….dirty". None where there is neither checkout nor
    installation. An installation inside another repository isn't a checkout of this suite.
    """
    root = _git("rev-parse", "--show-toplevel")
    if root and Path(root).resolve() == _ROOT:
        described = _git("describe", "--always", "--dirty=.dirty", "--abbrev=40", "--exclude=*")
        project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return f"{project['version']}+g{described}" if described else None
    try:
        return version(_DISTRIBUTION)
    except PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    command = ["git", "-C", str(_ROOT), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
