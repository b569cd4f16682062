"""The commands of the README and of docs/commands.md as tools/readme_commands.py finds them for CI and for releases."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.readme_commands import commands

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = README + "\n" + (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def listed(*arguments: str) -> list[str]:
    line = [sys.executable, ROOT / "tools" / "readme_commands.py", "--list", *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout.splitlines()


def test_the_readme_is_read_in_a_minute():
    assert len(README.splitlines()) <= 150


def test_every_command_of_the_pages_is_run():
    found = "\n".join(listed())
    for block in re.findall(r"^```sh\n(.*?)^```$", PAGES, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            assert line.partition(" #")[0].strip() in found
    for name in re.findall(r"`(?:make )?(bench-[a-z0-9-]+)`", PAGES):
        assert f"make {name} " in found


def test_what_starts_the_readme_runs_whole():
    assert {"make bench", "make test", "make report", "make devices"} <= set(listed())


def test_only_missing_hardware_may_fail():
    failing = [line for line in listed() if line.endswith("# must end with one error")]
    assert len(failing) >= 13
    hardware = r"make bench-(v100|t4|gpu|rtx|h100|jetson|pixel|galaxy|android|coreml)"
    assert all(re.match(hardware, line) for line in failing)


@pytest.mark.parametrize(
    ("command", "code", "said", "well"),
    [
        ("make devices", 0, "", True),
        ("make devices", 3, "", False),
        ("make devices", 0, "Traceback (most recent call last):", False),
        ("make devices", 0, "a/b.py:7: UserWarning: old", False),
        ("python -m bench cpu --against option:threads=1", 3, "error: untestable", True),
        ("python -m bench cpu --against option:threads=1", 1, "", False),
        ("python -m reports compare", 3, "", True),
        ("make bench-t4", 2, "error: no GPU", True),
        ("make bench-t4", 0, "error: no GPU", False),
        ("make bench-t4", 124, "error: no GPU", False),
        ("make bench-t4", 2, "", False),
    ],
)
def test_how_a_command_should_end(command, code, said, well):
    (found,) = commands(f"```sh\n{command}\n```\n")
    assert found.ends_well(code, said) is well


def test_files_that_the_readme_shows_are_there():
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link
