import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_working_directory_that_was_removed_is_one_line(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        f"import os, sys; sys.path.insert(0, {str(ROOT)!r}); from system.command_line import run\n"
        f"os.rmdir({str(gone)!r})\n"
        "run(lambda: 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=gone, capture_output=True, text=True, check=False)
    said = "error: no working directory: it was removed; change to another one\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", said)
