"""Plant faults that users meet, check how the suite reacts, and write the outcomes into docs/reliability.md.

    make faults
    make faults ARGS="downloads.cut signals"    # only these: one by its module and function, all of a module

Each row is a kind of fault, the number of cases tried, and their outcome. A case with another outcome than the expected
one stops the run with a traceback. The fake device and small networks keep the run to minutes.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from bench.records.known_machines import FOLDER_VARIABLE
from tests.faults.page import write
from tests.faults.themes import THEMES, Fault


def main() -> None:
    """Try every fault, or the named ones, and write the row of each into the page when it ends.

    Exits with 2 where a name is of no fault.
    """
    # A shell that runs this in the background lets it and its programs ignore Ctrl-C, which some faults send.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", help="only these: results.peaks, or results for all of that module")
    names = parser.parse_args().name
    faults = [fault for faults in THEMES.values() for fault in faults]
    if unknown := [name for name in names if not any(_is_named(fault, name) for fault in faults)]:
        parser.error(f"no such fault: {', '.join(unknown)}; choose from {', '.join(map(_name, faults))}")
    for fault in faults:
        if not names or any(_is_named(fault, name) for name in names):
            write({heading: map(_first, those) for heading, those in THEMES.items()}, _row(fault))


def _row(fault: Fault) -> str:
    begun = time.monotonic()
    print(f"{_name(fault)}: {fault.__doc__}", end=" ", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        # What these sweeps measure says nothing to those of this machine.
        os.environ[FOLDER_VARIABLE] = f"{folder}/machines"
        cases, outcome = fault(Path(folder))
    print(f"{cases} cases, {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return f"| {_first(fault)} | {cases} | {outcome} |"


def _first(fault: Fault) -> str:
    """What the first column says of a fault."""
    assert fault.__doc__
    return fault.__doc__.rstrip(".")


def _name(fault: Fault) -> str:
    return f"{fault.__module__.rpartition('.')[2]}.{fault.__name__}"


def _is_named(fault: Fault, name: str) -> bool:
    return name in {_name(fault), _name(fault).partition(".")[0]}


if __name__ == "__main__":
    main()
