"""Fuzz the parsers of outside data, one after the other, each in a process of its own.

    make fuzz ARGS='structures images --seconds 600'

A table says of each how many inputs were tried and how much code they reached. What fails is kept in the folder of
`--out`, and the exit code is then 1. docs/fuzzing.md says more.
"""

import argparse
import re
from pathlib import Path

from system.command_line import print_table, run
from system.names import select


def main() -> int:
    """Fuzz every parser, or the named ones; exit 1 where an input failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", default=["*"], help="names or globs of parsers; all unless given")
    parser.add_argument("--seconds", type=int, default=600, help="of each parser (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("out") / "fuzz", help="folder (default: %(default)s)")
    arguments = parser.parse_args()
    from tests.fuzz.fuzzer import PARSERS, warm_up

    names = [name for pattern in arguments.name for name in select(pattern, PARSERS, "parser")]
    warm_up(names)
    rows = [_fuzzed(name, arguments.out / name, arguments.seconds) for name in names]
    print_table(["parser", "seconds", "inputs", "edges", "features", "findings"], rows)
    return 1 if any(row[-1] != "0" for row in rows) else 0


def _fuzzed(name: str, folder: Path, seconds: int) -> list[str]:
    """Fuzz one parser and say what came of it."""
    from tests.fuzz.fuzzer import fuzz

    folder.mkdir(parents=True, exist_ok=True)
    code = fuzz(name, folder, seconds)
    said = (folder / "log.txt").read_text(encoding="utf-8", errors="replace")
    tried = re.search(r"Done (\d+) runs in (\d+) second", said)
    reached = re.findall(r"cov: (\d+) ft: (\d+)", said)
    inputs, took_s = tried.groups() if tried else ("none", "0")
    edges, features = reached[-1] if reached else ("none", "none")
    findings = len([*folder.glob("finding-*.txt"), *folder.glob("killed-*")]) or int(code != 0)
    print(f"{name}: {took_s} s, {inputs} inputs, {edges} edges, {features} features, {findings} findings", flush=True)
    return [name, took_s, inputs, edges, features, str(findings)]


if __name__ == "__main__":
    run(main)
