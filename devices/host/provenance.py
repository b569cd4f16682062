"""Which version of this suite runs: right or absent, since every record says it."""

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_DISTRIBUTION = "zennet-latency"
_ROOT = Path(__file__).resolve().parents[2]  # the folder that contains the suite's packages


def suite_version() -> str | None:
    """The git commit of a checkout, "-dirty" behind it where files differ; else the installed version, such as "0.1.0".

    None where there is neither. An installation inside another repository isn't a checkout of this suite.
    """
    root = _git("rev-parse", "--show-toplevel")
    if root and Path(root).resolve() == _ROOT:
        return _git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
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
