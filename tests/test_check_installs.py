"""What CI installs: every supported Python of this machine, with the pips that matter."""

import re
import subprocess
import sys
from pathlib import Path

from tools.check_installs import EXTRAS, Python, pythons, resolves

ROOT = Path(__file__).parents[1]


def test_every_supported_python_is_checked_with_old_and_new_pips():
    command = [sys.executable, "tools/check_installs.py", "--list"]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    form = r"Python 3\.(\d+) \((/.*)\): pip [\d.]+, (?:24\.1, )?(?:25\.3, )?newest( and the tests)?"
    found = [re.fullmatch(form, line) for line in lines]
    minors = [int(match[1]) for match in found]
    assert minors == sorted(set(minors))
    assert sys.version_info.minor in minors
    assert min(minors) >= 11
    tested = {int(match[1]) for match in found if match[3]} | {sys.version_info.minor}
    assert {minors[0], minors[-1]} <= tested


def test_the_newest_pip_is_tried_once_and_each_that_fails_on_versions():
    assert Python((3, 13), "24.2", "").pips == ["24.2", "24.1", "25.3", ""]
    assert Python((3, 14), "25.3", "").pips == ["25.3", "24.1", ""]


def test_a_pip_that_refuses_is_reported_with_its_reason(tmp_path, capsys):
    python = tmp_path / "python3"
    python.write_text("#!/bin/sh\necho Traceback >&2\necho \"InvalidVersion: 'cpu' of $6 $7\" >&2\nexit 2\n")
    python.chmod(0o755)
    assert not resolves(Python((3, 13), "24.2", str(python)), tmp_path / "pip-24.2-py3-none-any.whl")
    said = capsys.readouterr().out
    assert said.startswith("Python 3.13, pip 24.2: fails every extra in 0 s: InvalidVersion: 'cpu' of ")
    assert f"-e .[{EXTRAS}]" in said


def test_a_link_to_a_python_that_was_removed_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "python3").symlink_to(tmp_path / "removed")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert [python.version for python in pythons()] == [sys.version_info[:2]]
