"""The suite's commands as a user starts them, on the fake device or on a network so small that it takes no time."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

from models.published import published
from tests.progress_lines import without_progress

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)SuperResK3K3(8,8,1,8,1)@32"
EACH_ONCE = Counter(list(published()))


def command(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a room's command and wait for it."""
    line = [sys.executable, "-m", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]


def fake_line(folder: Path, *arguments: object) -> list[str]:
    """The command line of a sweep of the published networks on the fake device, which writes below `folder`."""
    paths = ["--results", folder / "results", "--artifacts", folder / "artifacts"]
    return [sys.executable, "-m", "bench", "fake", *map(str, [*paths, *arguments])]


def fake_sweep(folder: Path, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run that sweep and wait for it."""
    return command(*fake_line(folder, *arguments)[2:], **options)


def render(folder: Path) -> subprocess.CompletedProcess[str]:
    """Render the reports of `folder`."""
    return command("reports", "render", "--results", folder / "results", "--out", folder / "out")


def one_error(ended: subprocess.CompletedProcess[str]) -> str:
    """The one `error:` line that the command must have ended in, beside warnings and progress, with exit code 1."""
    lines = [line for line in without_progress(ended.stderr) if not line.startswith("warning:")]
    assert ended.returncode == 1, (ended.args, ended.returncode, ended.stderr)
    assert len(lines) == 1, ended.stderr
    assert lines[0].startswith("error: "), ended.stderr
    return lines[0]
