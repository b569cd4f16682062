"""What a command imports to answer --help: its arguments, and nothing of what it does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ["models", "exporters", "devices", "bench", "reports"]
# Of Python's own modules those that take longest, as far as an argument needs none of them.
SLOW = {
    "concurrent",
    "csv",
    "dataclasses",
    "difflib",
    "email",
    "hashlib",
    "json",
    "logging",
    "multiprocessing",
    "tomllib",
}


def imported(line: str) -> set[str]:
    """The modules that `python -m LINE --help` imports, those that every Python has imported at its start aside."""
    room, *rest = line.split()
    code = (
        "import sys; before = set(sys.modules); import runpy\n"
        f"sys.argv = {['x', *rest, '--help']!r}\n"
        f"try: runpy.run_module({room!r}, run_name='__main__')\n"
        "except SystemExit: pass\n"
        "after = sorted(set(sys.modules) - before)\n"
        "import json; print(json.dumps(after), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "usage: python -m" in done.stdout
    return set(json.loads(done.stderr))


@pytest.mark.parametrize("room", [*ROOMS, "reports render", "reports figure", "reports compare"])
def test_help_imports_only_what_its_arguments_need(room):
    found = imported(room)
    tops = {name.partition(".")[0] for name in found}
    foreign = {top for top in tops if top not in sys.stdlib_module_names and top not in {*ROOMS, "system"}}
    # The defaults and the help of the protocol are a struct's.
    assert {top for top in foreign if not top.startswith("_")} <= (
        {"msgspec", "typing_extensions"} if room == "bench" else set()
    )
    assert not SLOW & tops
    assert "importlib.metadata" not in found


@pytest.mark.parametrize("room", ROOMS)
def test_help_imports_options_and_not_what_they_are_for(room):
    own = {name for name in imported(room) if name.partition(".")[0] in {*ROOMS, "system"}}
    assert (
        own
        - {
            *ROOMS,
            *("system", "system.command_line", "system.cluster_options", "system.errors", "system.names"),
            "system.streams",
            *("models.checkpoints", "models.groups"),
            *("exporters.format_names", "exporters.int8", "exporters.int8.option"),
            *("bench.axis", "bench.options", "bench.protocol", "bench.top1"),
            *("bench.accuracy", "bench.accuracy.options", "bench.duet", "bench.duet.options"),
            *("bench.fleet", "bench.fleet.options"),
            *("reports.compare", "reports.compare.options", "reports.options"),
        }
        == set()
    )
