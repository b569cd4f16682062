"""`python3 -m devices.environment`: what make asks before anything is installed, so it needs nothing but Python 3.11.

python3 -m devices.environment for TARGET VENV [OPTIONS]       # make's goals for a target: a preflight, an environment
python3 -m devices.environment preflight NAME VENV [OPTIONS]   # whether an environment's Python and hardware are here

VENV is the CPU's environment; OPTIONS are those of `python -m bench`.
"""

import functools
import re
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from system.command_line import run
from system.errors import UserError, one_line
from system.names import select, split_at

_TARGETS = Path(__file__).with_name("targets.toml")
_ENVIRONMENTS = Path(__file__).with_name("environments.toml")
_VENV = Path(__file__).parents[1] / ".venv"
_DEFAULT = "cpu"


class Environment(NamedTuple):
    """Pinned versions in a folder of their own; the comments of environments.toml say what each field means."""

    name: str
    extra: str
    pins: str
    preflight: tuple[str, ...]
    wheels: dict[str, str]

    def folder(self, venv: str) -> Path:
        """Its virtual environment, where the CPU's is `venv`."""
        return Path(venv if self.pins == _DEFAULT else f"{venv}-{self.pins}")

    def goals(self, venv: str) -> list[str]:
        """What make must bring about, in this order, before the environment can be used."""
        folder = self.folder(venv)
        asks = self.preflight or not (folder / "bin" / "python").exists()
        return [f"preflight-{self.name}"] * bool(asks) + [str(folder / f".installed-{self.extra}")]

    def python(self, venv: str) -> tuple[int, int]:
        """The version of Python that it has, or would get: that of this process."""
        try:
            written = (self.folder(venv) / "pyvenv.cfg").read_text(encoding="utf-8")
        except OSError:
            return sys.version_info[:2]
        match = re.search(r"(?m)^version\w* *= *(\d+)\.(\d+)", written)
        return (int(match[1]), int(match[2])) if match else sys.version_info[:2]

    def missing_wheels(self, python: tuple[int, int]) -> str | None:
        """What has no wheels for a version of Python, and which Python to take instead; None where all have some."""
        newest = {name: tuple(map(int, version.split("."))) for name, version in self.wheels.items()}
        lacking = [name for name, version in newest.items() if version < python]
        if not lacking:
            return None
        instead = ".".join(map(str, min(newest.values())))
        found = ".".join(map(str, python))
        return f"{lacking[0]} has no wheels for Python {found}; use PYTHON=python{instead}"


def read_environments() -> dict[str, Environment]:
    """Every environment by name."""
    return {
        name: Environment(**{"name": name, "wheels": {}} | table | {"preflight": tuple(table.get("preflight", ()))})
        for name, table in tomllib.loads(_ENVIRONMENTS.read_text(encoding="utf-8")).items()
    }


def goals(pattern: str, venv: str, extra: Path | None = None) -> list[str]:
    """The goals of make that the targets of a name or a glob need, whatever batch follows it; `extra` is a TOML file of
    more targets.

    Raises UserError where no target matches, where they need different environments, or where one names none.
    """
    tables = _matching(pattern, extra)
    named = sorted({_named(table) for table in tables.values()})
    if len(named) > 1:
        raise UserError(
            f"{pattern} needs more than one environment", found=", ".join(named), fix="measure them one by one"
        )
    on_the_host = all(table.get("device") == "CPU" for table in tables.values())
    return [*find_environment(named[0]).goals(venv), *["on-the-host"] * on_the_host]


def environment_of(target: str, extra: Path | None = None) -> str:
    """The name of the environment of a target that there is, whatever batch follows its name; `extra` as in `goals`.

    Others than the target are not looked at: each of a fleet's thousand asks.
    """
    name, _ = split_at(target)
    return _named(_tables(extra if extra and name in _tables(extra) else _TARGETS)[name])


def _matching(pattern: str, extra: Path | None) -> dict[str, dict[str, Any]]:
    targets = _tables(_TARGETS) | (_tables(extra) if extra else {})
    without_batch, _ = split_at(pattern)
    return {name: targets[name] for name in select(without_batch, targets, "target")}


def _named(table: dict[str, Any]) -> str:
    return str(table.get("environment", _DEFAULT))


def find_environment(name: str) -> Environment:
    """An environment by its name. Raises UserError naming the nearest names."""
    environments = read_environments()
    return environments[name if name in environments else select(name, environments, "environment")[0]]


def python_of(environment: str) -> str:
    """The Python of an environment that is installed beside this suite; this one where there is none.

    Whether that one can run a target is for its runtime to say. Raises UserError as `find_environment`.
    """
    folder = find_environment(environment).folder(str(_VENV))
    python = folder / "bin" / "python"
    return str(python) if folder != _VENV and python.exists() else sys.executable


@functools.cache
def _tables(path: Path) -> dict[str, dict[str, Any]]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"unreadable targets in {path}", found=one_line(error), fix="mend that file") from error
    return {name: table for name, table in tables.items() if isinstance(table, dict)}


def _preflight(environment: Environment, venv: str, arguments: list[str]) -> int:
    """Exit 1 with one line where the environment can't be made by this Python, or its hardware isn't here."""
    folder = environment.folder(venv)
    installed = (folder / f".installed-{environment.extra}").exists()  # into a Python that was asked about then
    if not installed and (missing := environment.missing_wheels(environment.python(venv))):
        remove = f", and remove {folder} first" if folder.exists() else ""
        print(f"error: {missing}{remove}", file=sys.stderr)  # noqa: T201
        return 1
    if environment.preflight:
        import runpy

        sys.argv = [*environment.preflight, *arguments]
        runpy.run_module(environment.preflight[0], run_name="__main__", alter_sys=True)
    return 0


def main() -> int:
    """Answer make; exit 1 with one line where there is no answer."""
    ask, name, venv, *arguments = sys.argv[1:]  # make alone calls it, so it has no options of its own
    if ask == "preflight":
        return _preflight(find_environment(name), venv, arguments)
    print(*goals(name, venv, _targets_file(arguments)))  # noqa: T201
    return 0


def _targets_file(arguments: list[str]) -> Path | None:
    """The file of more targets that the options of `python -m bench` name."""
    for position, argument in enumerate(arguments):
        flag, _, value = argument.partition("=")
        if flag == "--targets":
            return Path(value or next(iter(arguments[position + 1 :]), ""))
    return None


if __name__ == "__main__":
    run(main)
