"""Break the suite in every way that its users will, and write what happened into docs/reliability.md.

    make faults

Each row is a kind of fault, how many cases were tried, and how they ended. A case that ends otherwise than it should
stops the run with its traceback. The fake device and small networks keep it to minutes.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults import cached, disk, given, memory, results, sharing, sweeps, text, trespass

Fault = Callable[[Path], tuple[int, str]]

FAULTS: tuple[Fault, ...] = (
    sweeps.killed,
    sweeps.losing_workers,
    sweeps.losing_the_reference,
    sharing.results,
    sharing.cache,
    disk.full,
    disk.unwritable,
    memory.address_space,
    cached.artifact_bits,
    cached.artifacts,
    cached.sidecars,
    results.records,
    results.journals,
    results.epochs,
    results.peaks,
    results.profiles,
    given.targets,
    given.checkpoints,
    given.calibration,
    cached.downloads,
    text.structures,
    text.names,
    text.records,
    text.rendered,
    trespass.external_data,
    trespass.code,
)
PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
_HEAD = """# Reliability

What was broken on purpose, and what happened (`make faults` writes this page).

| fault | cases | outcome |
|---|---:|---|"""


def main() -> None:
    """Try every fault, or those named, and write their rows into the page as each ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", help="only faults of these names, for example results.peaks")
    names = parser.parse_args().name
    for fault in FAULTS:
        if not names or _name(fault) in names:
            _write(_row(fault))


def _write(row: str) -> None:
    """Put a row in its place; those of other faults stay as they were when these were last tried."""
    known = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    rows = {line.split(" | ")[0]: line for line in [*known, row]}
    firsts = (f"| {(fault.__doc__ or '').rstrip('.')}" for fault in FAULTS)
    table = "\n".join([_HEAD, *(rows[first] for first in firsts if first in rows)])
    PAGE.write_text(f"{table}\n", encoding="utf-8")


def _row(fault: Fault) -> str:
    assert fault.__doc__
    begun = time.monotonic()
    print(f"{_name(fault)}: {fault.__doc__}", end=" ", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        cases, outcome = fault(Path(folder))
    print(f"{cases} cases, {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return f"| {fault.__doc__.rstrip('.')} | {cases} | {outcome} |"


def _name(fault: Fault) -> str:
    return f"{fault.__module__.rpartition('.')[2]}.{fault.__name__}"


if __name__ == "__main__":
    main()
