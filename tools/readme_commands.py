"""Run every command that the README and docs/commands.md show, as their reader would.

    python3 tools/readme_commands.py             # needs bare Python; the commands make what they need
    python3 tools/readme_commands.py README.md   # those of one page: what CI runs on a clean clone
    python3 tools/readme_commands.py --list      # what would be run, and what is expected of it

`make bench` and `make test` run whole. Other measurements run as written but on one network for seconds, and those of
hardware that isn't here must end with their one error line. A comparison may say that it can't tell, since others may
use the machine in its seconds. A command that prints a traceback, or a warning of Python, fails.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

_PAGES = ("README.md", "docs/commands.md")
_BRIEF = "--model '*flops400M*' --budget 3"
_LACKING = re.compile(r"make bench-(v100|t4|gpu|rtx|h100|a100|l4|jetson|pixel|galaxy|android|coreml|qnn)")
_COMPARING = re.compile(r"python -m (reports compare|bench .*--against)")
_UNTESTABLE = 3  # the exit code of a comparison that can't tell
# What Python's warnings look like: "…/file.py:12: UserWarning: …".
_WARNING = re.compile(r"^\S+\.py:\d+: \w*Warning: ", re.MULTILINE)
_LONGEST_S = 2400  # CI as a whole takes less: a command that runs this long hangs
_TOO_LONG = 124  # its exit code then, as by `timeout`


@dataclass(frozen=True)
class Command:
    """A command as a page shows it, how it is run here, and whether it must say that hardware is missing."""

    shown: str
    run: str
    lacking: bool

    def ends_well(self, code: int, said: str) -> bool:
        """Whether it ended as it should, by its exit code and what it printed."""
        if "Traceback" in said or _WARNING.search(said):
            return False
        if self.lacking:
            errors = [line for line in said.splitlines() if line.startswith("error: ")]
            return len(errors) == 1 and code not in {0, _TOO_LONG}
        return code == 0 or (code == _UNTESTABLE and _COMPARING.match(self.shown) is not None)


def commands(pages: str) -> list[Command]:
    """Every command of the pages, each once, in their order: the fenced `sh` blocks' and the tables'."""
    shown: list[str] = []
    for block, row in re.findall(r"^```sh\n(.*?)^```$|^\| (`make .*?) \|", pages, re.MULTILINE | re.DOTALL):
        if block:
            shown += [line.partition(" #")[0].strip() for line in block.splitlines()]
        else:
            shown += _of_row(row)
    shown += re.findall(r"`(make [a-z-]+)`", pages)
    return [_command(text) for text in dict.fromkeys(filter(None, shown))]


def _of_row(row: str) -> list[str]:
    names = re.findall(r"`([^`]+)`", row)
    return [name if name.startswith("make ") else f"make {name}" for name in names]


def _command(shown: str) -> Command:
    run = shown
    if shown.startswith("make bench-"):
        run = f'{shown} ARGS="{_BRIEF}"'
    elif re.match(r"python -m bench (?!fake)", shown):
        # The last of two budgets counts; a sweep that names no network gets one.
        run += " --budget 3" if "--model" in shown or "--profile" in shown else f" {_BRIEF}"
    return Command(shown, run, bool(_LACKING.match(shown)))


def main() -> int:
    """Run them all and say how each ended; exit 1 where one ended otherwise than it should."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", nargs="*", default=_PAGES, help=f"(default: {' '.join(_PAGES)})")
    parser.add_argument("--list", action="store_true", help="print what would be run")
    arguments = parser.parse_args()
    found = commands("\n".join((ROOT / page).read_text(encoding="utf-8") for page in arguments.page))
    if arguments.list:
        for command in found:
            print(f"{command.run}{'   # must end with one error' if command.lacking else ''}")
        return 0
    failed = [command.shown for command in found if not _ends_well(command)]
    print(f"\n{len(found) - len(failed)} of {len(found)} ended as they should")
    for shown in failed:
        print(f"not as it should: {shown}")
    return 1 if failed else 0


def _ends_well(command: Command) -> bool:
    begun = time.monotonic()
    print(f"\n$ {command.run}", flush=True)
    # As after `source .venv/bin/activate`, which is what the README says.
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryFile() as output:
        try:
            code = subprocess.run(
                ["bash", "-c", command.run],
                cwd=ROOT,
                env=os.environ | {"PATH": path},
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=_LONGEST_S,
            ).returncode
        except subprocess.TimeoutExpired:
            code = _TOO_LONG
        output.seek(0)
        said = output.read().decode(errors="replace")
    print(said, end="")
    well = command.ends_well(code, said)
    outcome = "as it should" if well else "NOT AS IT SHOULD"
    print(f"[{time.monotonic() - begun:.0f} s, exit {code}, {outcome}]", flush=True)
    return well


if __name__ == "__main__":
    sys.exit(main())
