"""Whether the suite installs with old and new pips, and passes its tests on the oldest and the newest Python here.

    python3 tools/check_installs.py          # every check: dry runs in a minute, then tests (8 minutes a Python)
    python3 tools/check_installs.py --dry    # the dry runs alone
    python3 tools/check_installs.py --list   # what would be checked

Each supported Python that is here resolves every extra, as a dry run, with the pip that it brings along, with the
newest one, and with the first and the last that fail where an extra is named like a version. The tests of our own code
then run in clones of their own, which are removed again, but for the Python that runs this: `make test` is for
that one. Those of exports and studies are left out: they take half of the time and depend on the pinned packages.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = ",".join(PROJECT["optional-dependencies"])

_FAILING_PIPS = ("24.1", "25.3")
_NEWEST = ""
_ASK = "import sys, venv, ensurepip; print(*sys.version_info[:2], ensurepip.version(), sys.executable)"
_TESTS_S = 1800
_TESTS = (
    "tests/system tests/models tests/devices tests/bench tests/reports tests/test_extras.py tests/test_makefile.py"
    " --ignore=tests/bench/fleet/test_faults.py"
)


class Python(NamedTuple):
    """One Python: its version, the pip that its environments begin with, and where it is."""

    version: tuple[int, int]
    pip: str
    path: str

    def __str__(self) -> str:
        return "Python {}.{}".format(*self.version)

    @property
    def pips(self) -> list[str]:
        """The versions of pip to try."""
        return list(dict.fromkeys((self.pip, *_FAILING_PIPS, _NEWEST)))


def pythons() -> list[Python]:
    """The supported Pythons of this machine, the oldest first, one a minor version; this one for its own."""
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep) if folder]
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders += sorted(root.glob("versions/*/bin"))
    named = [path for folder in folders for path in sorted(folder.glob("python3*"))]
    there = [sys.executable, *(str(path) for path in named if re.fullmatch(r"python3(\.\d+)?", path.name))]
    found: dict[tuple[int, int], Python] = {}
    for python in filter(None, map(_ask, dict.fromkeys(there))):
        if python.version >= _oldest_supported():
            found.setdefault(python.version, python)
    return [found[version] for version in sorted(found)]


def _oldest_supported() -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", PROJECT["requires-python"])))


def _ask(path: str) -> Python | None:
    """A Python that can make environments, or None."""
    try:
        done = subprocess.run([path, "-c", _ASK], capture_output=True, text=True, check=False)
    except OSError:  # a link to one that was removed
        return None
    if done.returncode != 0:
        return None
    major, minor, pip, executable = done.stdout.split(maxsplit=3)
    return Python((int(major), int(minor)), pip, executable.strip())


def _fetch_pip(version: str, folder: Path) -> Path:
    """The wheel of a version of pip, which runs as it is."""
    wanted = f"pip=={version}" if version else "pip"
    destination = folder / (version or "newest")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(destination), wanted]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    (wheel,) = destination.glob("pip-*.whl")
    return wheel


def resolves(python: Python, wheel: Path) -> bool:
    """Whether this pip reads our metadata and takes every extra; dependencies are left to the real installations."""
    command = [python.path, f"{wheel}/pip", "install", "--dry-run", "--no-deps", "--quiet", "-e", f".[{EXTRAS}]"]
    begun = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    name = wheel.name.removesuffix("-py3-none-any.whl").replace("-", " ")
    reason = "" if done.returncode == 0 else f": {(done.stderr.strip().splitlines() or ['no reason'])[-1]}"
    outcome = "fails" if reason else "resolves"
    print(f"{python}, {name}: {outcome} every extra in {time.monotonic() - begun:.0f} s{reason}", flush=True)
    return not reason


def passes(python: Python) -> bool:
    """Whether these tests pass on a Python, in a clone whose path has a blank, without settings of Python's own."""
    print(f"\n$ make test PYTHON={python.path} ARGS='{_TESTS}'", flush=True)
    begun = time.monotonic()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    with tempfile.TemporaryDirectory(prefix="a clone ") as clone:
        subprocess.run(["git", "clone", "--quiet", str(ROOT), clone], check=True)
        command = ["make", "--no-print-directory", "test", f"PYTHON={python.path}", f"ARGS={_TESTS}"]
        passed = subprocess.run(command, cwd=clone, env=environment, check=False, timeout=_TESTS_S).returncode == 0
    print(f"{python}: the tests {'pass' if passed else 'FAIL'}, in {time.monotonic() - begun:.0f} s", flush=True)
    return passed


def main() -> int:
    """Check; exit 1 where something fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print what would be checked")
    parser.add_argument("--dry", action="store_true", help="leave the tests out")
    arguments = parser.parse_args()
    found = pythons()
    ends = [python for python in dict.fromkeys((found[0], found[-1])) if python.version != sys.version_info[:2]]
    for python in found:
        tests = " and the tests" * (python in ends)
        print(f"{python} ({python.path}): pip {', '.join(pip or 'newest' for pip in python.pips)}{tests}", flush=True)
    if arguments.list:
        return 0
    with tempfile.TemporaryDirectory() as folder:
        versions = dict.fromkeys(pip for python in found for pip in python.pips)
        wheels = {version: _fetch_pip(version, Path(folder)) for version in versions}
        good = [resolves(python, wheels[pip]) for python in found for pip in python.pips]
    if all(good) and not arguments.dry:
        good += [passes(python) for python in ends]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
