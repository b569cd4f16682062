"""The driver's work, memory and records a second for fleets of several sizes; docs/fleet_scale.md has the figures.

python -m studies.fleet_scale [--devices 1 10 100 1000] [--networks 200] [--visits 2 6] [--repeat 3]

Prints the table of all trials in --data and draws docs/fleet_scale.svg from them; `--repeat 0` makes no new ones.
"""

import argparse
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

from studies.fleet_scale.page import draw, read, table

_DATA = Path(__file__).with_name("data") / "figures.jsonl"
_PLOT = Path(__file__).parents[2] / "docs" / "fleet_scale.svg"


def main() -> None:
    arguments = _arguments()
    arguments.work.mkdir(parents=True, exist_ok=True)
    # Sizes take turns, so that whatever else the machine does falls on all of them.
    for _ in range(arguments.repeat):
        for devices, visits in product(arguments.devices, arguments.visits):
            line = _trial(devices, arguments.networks, visits, arguments.work)
            with arguments.data.open("ab") as file:
                file.write(line)
            print(line.decode(), file=sys.stderr, end="", flush=True)
    figures = read(arguments.data)
    print(table(figures), end="")
    draw(figures, arguments.plot)


def _trial(devices: int, networks: int, visits: int, work: Path) -> bytes:
    """One trial in a process of its own, whose memory is then the trial's."""
    shutil.rmtree(work / "results", ignore_errors=True)
    command = [sys.executable, "-m", "studies.fleet_scale.trial", *map(str, (devices, networks, visits, work))]
    try:
        return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    finally:
        shutil.rmtree(work / "results", ignore_errors=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--visits", type=int, nargs="+", default=[2, 6], help="of each network on each device")
    parser.add_argument("--repeat", type=int, default=3, help="trials of each size")
    parser.add_argument("--work", type=Path, default=Path("artifacts") / "fleet_scale", help="where they write")
    parser.add_argument("--data", type=Path, default=_DATA)
    parser.add_argument("--plot", type=Path, default=_PLOT)
    return parser.parse_args()


if __name__ == "__main__":
    main()
