"""Sweeps through Ray beside local ones, in turns on this machine: do their numbers agree?

python -m studies.fleet_against_local                                   # every core, about 12 minutes, idle
python -m studies.fleet_against_local --option threads=1                # a core is left for Ray's own processes

Both measure the same files with the same protocol on the same processor; only who asks for the visits differs. The
order of the two alternates from pair to pair, so that a drift of the machine favours neither. `reports compare` then
holds the pooled sweeps of one against those of the other, with the change that it would have found.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from bench.protocol import Protocol
from bench.records.known_machines import FOLDER_VARIABLE

_SIDES = {"local": [], "fleet": ["--ray", "local"]}


def main() -> int:
    """Measure the pairs, and print the comparison; exit with its code, 1 where a sweep failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default="cpu")
    parser.add_argument("--model", nargs="+", default=["@published"], help="names, globs or groups")
    parser.add_argument("--pairs", type=int, default=3, help="sweeps of each side (default: %(default)s)")
    parser.add_argument(
        "--budget", type=float, default=Protocol().budget_s, help="seconds of a sweep (default: %(default)g)"
    )
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="of the target")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--results", type=Path, default=Path("artifacts") / "fleet_against_local")
    arguments = parser.parse_args()
    complete = True
    for pair in range(arguments.pairs):
        for side in sorted(_SIDES, reverse=pair % 2 == 0):
            print(f"pair {pair + 1} of {arguments.pairs}: {side}", file=sys.stderr, flush=True)
            complete = _sweep(arguments, side) == 0 and complete
    old, new = (arguments.results / side for side in _SIDES)
    compare = [sys.executable, "-m", "reports", "compare", str(old), str(new), "--sweeps", str(arguments.pairs)]
    code = subprocess.run(compare, check=False).returncode
    return code if complete else 1


def _sweep(arguments: argparse.Namespace, side: str) -> int:
    models = [part for model in arguments.model for part in ("--model", model)]
    command = [sys.executable, "-m", "bench", arguments.target, *models, *_SIDES[side]]
    command += [part for option in arguments.option for part in ("--option", option)]
    command += ["--budget", str(arguments.budget), "--artifacts", str(arguments.artifacts)]
    command += ["--results", str(arguments.results / side)]
    # Both sides refer to one condition, and learn from each other but from no sweep before.
    environment = os.environ | {FOLDER_VARIABLE: str(arguments.results / "machines")}
    return subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
