"""CONTRIBUTING's recipes, each applied to a copy of the suite and run there."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("models", "exporters", "devices", "bench", "reports")
THINGS = ("a model", "a device", "a runtime", "an export format", "a report")
SECTION = re.compile(r"^## (Add .*?)$(.*?)(?=^## )", re.MULTILINE | re.DOTALL)
RECIPES = dict(SECTION.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))


def blocks(section: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def apply(diff: str, root: Path) -> None:
    """Apply a diff whose hunks are found by their context, since line numbers age."""
    for part in re.split(r"^--- .*\n", diff, flags=re.MULTILINE)[1:]:
        head, *lines = part.splitlines()
        path = root / head.removeprefix("+++ b/")
        body = lines[1:]
        old = "".join(line[1:] + "\n" for line in body if not line.startswith("+"))
        new = "".join(line[1:] + "\n" for line in body if not line.startswith("-"))
        if not old:
            path.write_text(new, encoding="utf-8")
            continue
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} must stand once in {path.name}"
        path.write_text(text.replace(old, new), encoding="utf-8")


def test_there_is_a_recipe_for_everything_that_grows():
    assert list(RECIPES) == [f"Add {thing}" for thing in THINGS]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_works_as_it_stands(name, tmp_path):
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    (diff,) = blocks(RECIPES[name], "diff")
    apply(diff, tmp_path)
    (script,) = blocks(RECIPES[name], "sh")
    # An unquoted glob or parenthesis is the shell's business; here each word stands for itself.
    _, *arguments = shlex.split(script)
    # The working directory comes first on the path of `python -m`, before the installed suite.
    ended = subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout
