"""docs/your_own.md, followed by a newcomer: its files are written and its commands run, in an empty folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.records.store import read_results

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "your_own.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.*?)$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
# What each section leaves: the networks that have a number, by target.
MEASURED = {
    "A network of timm": {("cpu", "timm:mobilenetv3_small_050"), ("cpu-int8", "timm:mobilenetv3_small_050")},
    "Your torch module": {
        *((target, "torch:my_networks:small@96") for target in ("cpu", "cpu-tflite", "cpu-torch")),
        ("cpu", "pt2:small.pt2"),
    },
    "Your ONNX or TFLite file": {("cpu", "onnx:small.onnx"), ("cpu-int8", "onnx:small.onnx")},
    "Your device": {("one-thread", "torch:my_networks:small@96")},
}


def blocks(section: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def write_files(section: str, folder: Path) -> None:
    """Each file of a section; its first line, a comment, names it."""
    for text in (*blocks(section, "python"), *blocks(section, "toml")):
        (folder / text.partition("\n")[0].removeprefix("# ")).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", MEASURED)
def test_a_newcomer_gets_the_numbers_that_the_page_promises(tmp_path, name):
    for earlier in (*list(SECTIONS)[: list(SECTIONS).index(name)], name):
        write_files(SECTIONS[earlier], tmp_path)
    # As after `source .venv/bin/activate`.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for script in blocks(SECTIONS[name], "sh"):
        ended = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=tmp_path,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
    found = {
        (record.target.name, record.model.name) for record in read_results(tmp_path / "results") if record.measurement
    }
    assert found == MEASURED[name]
    if "zennet-latency report" in "".join(blocks(SECTIONS[name], "sh")):
        assert "timm:mobilenetv3_small_050" in (tmp_path / "out" / "table.md").read_text(encoding="utf-8")


def test_every_section_with_commands_is_run():
    assert set(MEASURED) == {name for name, text in SECTIONS.items() if blocks(text, "sh")}
