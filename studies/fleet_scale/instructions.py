"""How many instructions the driver of a fleet runs for a visit, Python's garbage collector included.

python -m studies.fleet_scale.instructions [--devices 1 10 100 1000] [--networks 20] [--visits 2]

valgrind's callgrind counts those of the driver's process outside the kernel; it makes the trial about thirty times
slower, one thread at a time. Loading Python and making the files are in each count, so the instructions of a visit are
those that a fleet needs beyond the one before it, over the visits that it makes beyond it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

from system.command_line import run
from system.errors import UserError, one_line

_COLLECTED = re.compile(r"Collected : (\d+)")


def instructions(devices: int, networks: int, visits: int, work: Path) -> int:
    """Instructions of the driver's process in one trial; `work` is an empty folder. Raises UserError where it fails."""
    if shutil.which("valgrind") is None:
        raise UserError("instructions can't be counted", found="no valgrind", fix="install valgrind")
    trial = [sys.executable, "-m", "studies.fleet_scale.trial", *map(str, (devices, networks, visits)), str(work)]
    # Each device is a thread; valgrind allows 500 unless it is told.
    threads = f"--max-threads={devices + 500}"
    counting = ["valgrind", threads, "--tool=callgrind", f"--callgrind-out-file={work / 'callgrind.%p'}"]
    # Hashes are random otherwise, and with them the length of their probes.
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    ended = subprocess.run([*counting, *trial], env=environment, capture_output=True, text=True, check=False)
    found = _COLLECTED.search(ended.stderr)
    if ended.returncode or not found:
        found_instead = one_line(ended.stderr[-500:])
        raise UserError(f"a fleet of {devices} wasn't counted", found=found_instead, fix="run its trial")
    return int(found[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--visits", type=int, default=2, help="of each network on each device")
    arguments = parser.parse_args()
    sizes, counts = sorted(set(arguments.devices)), []
    for devices in sizes:
        print(f"fleet of {devices}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            counts.append(instructions(devices, arguments.networks, arguments.visits, Path(folder)))
    print("| devices | instructions a visit beyond the row above, millions |\n| --- | --- |")
    print(f"| {sizes[0]:,} | |")
    for (fewer, more), (less, all_of_them) in zip(pairwise(sizes), pairwise(counts), strict=True):
        further = (more - fewer) * arguments.networks * arguments.visits
        print(f"| {more:,} | {(all_of_them - less) / further / 1e6:.2f} |")
    return 0


if __name__ == "__main__":
    run(main)
