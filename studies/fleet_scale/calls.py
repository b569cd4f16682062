"""How many functions the driver of a fleet calls for a visit: its work as far as calls tell it.

python -m studies.fleet_scale.calls [--devices 1 10 100 1000] [--networks 50] [--visits 2]

Unlike processor seconds this number is nearly the same on every machine. What the main thread does, which waits for all
sweeps, is not counted, nor what Python's garbage collector and the kernel do.
"""

import argparse
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from types import FrameType

from studies.fleet_scale.trial import trial


def calls_a_visit(devices: int, networks: int, visits: int, work: Path) -> float:
    """Calls of functions in Python and in C by the driver's threads, a visit; `work` is an empty folder."""
    counts: Counter[int] = Counter()

    def count(_: FrameType, event: str, __: object) -> None:
        if event in {"call", "c_call"}:
            counts[threading.get_ident()] += 1  # each thread its own: a sum of several threads would lose some

    threading.setprofile(count)
    try:
        figures = trial(devices, networks, visits, work)
    finally:
        threading.setprofile(None)
    return counts.total() / figures.visits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--networks", type=int, default=50)
    parser.add_argument("--visits", type=int, default=2, help="of each network on each device")
    arguments = parser.parse_args()
    print("| devices | calls a visit |\n| --- | --- |")
    for devices in arguments.devices:
        print(f"fleet of {devices}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            calls = calls_a_visit(devices, arguments.networks, arguments.visits, Path(folder))
        print(f"| {devices:,} | {calls:.0f} |", flush=True)


if __name__ == "__main__":
    main()
