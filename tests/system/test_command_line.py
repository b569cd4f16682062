import os
import subprocess
import sys
from pathlib import Path

import pytest

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


SAYS = (
    f"import os, sys; sys.path.insert(0, {str(ROOT)!r}); from system.command_line import run\n"
    "def main():\n"
    "    for _ in range(9):\n"
    "        print('progress', file=sys.stderr, flush=True)\n"
    "    print('table')\n"
    "    with open(sys.argv[1], 'w') as file:\n"
    "        file.write(f'done, file {file.fileno()}')\n"
    "    return 3\n"
    "run(main)"
)


@pytest.fixture(params=[False, True], ids=["buffered", "unbuffered"])
def environment(request):
    """What a program is started with; what can't be written stays in the buffer, where there is one."""
    others = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return others | ({"PYTHONUNBUFFERED": "1"} if request.param else {})


@pytest.mark.parametrize("closed", ["", "0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-", "2>/dev/full"])
def test_streams_that_are_closed_or_full_change_nothing(tmp_path, closed, environment):
    line = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", SAYS, str(tmp_path / "done")]
    assert subprocess.run(line, env=environment, capture_output=True, check=False).returncode == 3
    said = (tmp_path / "done").read_text()
    assert said.startswith("done, file ")
    assert int(said.rpartition(" ")[2]) > 2, "the file took a closed stream's number"


def test_a_reader_of_stderr_that_goes_away_changes_nothing(tmp_path, environment):
    line = [sys.executable, "-c", SAYS, str(tmp_path / "done")]
    process = subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stderr.close()
    assert process.stdout.read() == "table\n"
    assert process.wait() == 3
    assert (tmp_path / "done").exists()
    process.stdout.close()


def test_signs_that_the_terminal_does_not_have_are_replaced():
    found = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from system.command_line import run\n"
    code = f"{found}run(lambda: print('±1') or 0)"
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"?1\n", b"")
