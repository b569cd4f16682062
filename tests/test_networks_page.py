"""The code of docs/networks.md, run as it stands."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")


def block(heading: str) -> str:
    """The code of a section."""
    (code,) = re.findall(rf"^## {heading}\n.*?^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return code


def test_fine_tuning_learns_the_digits():
    code = block("Fine-tuning")
    assert len(code.splitlines()) <= 40
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    (percent,) = re.findall(r"held-out digits: ([\d.]+)%", ended.stdout)
    assert float(percent) >= 95


def test_the_channels_of_the_example_are_the_network_s():
    code = block("As a backbone").replace('"student_best-params_rank0.pth", ', "")
    lines = [line.partition("  # ") for line in code.splitlines()]
    names: dict[str, object] = {}
    exec("\n".join(line for line, _, _ in lines if not line.startswith("backbone.feature_info")), names)
    for expression, _, shown in lines:
        if expression.startswith("backbone.feature_info"):
            assert str(eval(expression, names)) == shown
