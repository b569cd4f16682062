"""CONTRIBUTING's recipes, each applied to a copy of the suite and run there."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("system", "models", "exporters", "devices", "bench", "reports")
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


@pytest.fixture
def followed(tmp_path):
    """Applies a recipe to a copy of the suite and runs its commands there; the copy."""

    def follow(name: str) -> Path:
        for room in ROOMS:
            shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
        (diff,) = blocks(RECIPES[name], "diff")
        apply(diff, tmp_path)
        (script,) = blocks(RECIPES[name], "sh")
        for line in script.splitlines():
            # An unquoted glob or parenthesis is the shell's business; here each word stands for itself.
            run(tmp_path, *shlex.split(line)[1:])
        return tmp_path

    return follow


def run(folder: Path, *arguments: str) -> None:
    # The working directory comes first on the path of `python -m`, before the installed suite.
    ended = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert ended.stdout


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "Add a model"])
def test_a_recipe_works_as_it_stands(name, followed):
    followed(name)


def test_with_a_model_more_the_tests_of_the_zoo_still_hold(followed):
    folder = followed("Add a model")
    shutil.copytree(ROOT / "tests" / "models", folder / "tests" / "models")
    shutil.copy(ROOT / "pyproject.toml", folder)
    files = [f"tests/models/test_{name}.py" for name in ("zoo", "layers", "structure")]
    run(folder, "-m", "pytest", "-n", "0", *files, "-k", "ResNet-26 or published_table or globs or published_structure")
