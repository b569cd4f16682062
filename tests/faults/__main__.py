"""Plant faults that users meet, check how the suite reacts, and write the outcomes into docs/reliability.md.

    make faults

Each row is a kind of fault, the number of cases tried, and their outcome. A case with another outcome than the expected
one stops the run with a traceback. The fake device and small networks keep the run to minutes.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults import (
    cached,
    disk,
    evaluations,
    given,
    memory,
    photographs,
    results,
    sharing,
    sweeps,
    text,
    trespass,
)

Fault = Callable[[Path], tuple[int, str]]

FAULTS: tuple[Fault, ...] = (
    sweeps.killed,
    sweeps.losing_workers,
    sweeps.losing_the_reference,
    evaluations.killed,
    evaluations.losing_processes,
    sharing.results,
    sharing.cache,
    disk.full,
    disk.unwritable,
    evaluations.full_disk,
    memory.address_space,
    cached.artifact_bits,
    cached.artifacts,
    cached.sidecars,
    results.records,
    results.journals,
    results.epochs,
    results.peaks,
    results.profiles,
    evaluations.damaged_files,
    given.targets,
    given.checkpoints,
    given.calibration,
    photographs.images,
    photographs.labels,
    photographs.killed,
    cached.downloads,
    cached.published,
    text.structures,
    text.names,
    text.records,
    text.rendered,
    trespass.external_data,
    trespass.code,
)
PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
_HEAD = """# Reliability

Planted faults and their outcomes, as `make faults` tries them and writes them into this page.

| fault | cases | outcome |
|---|---:|---|"""


def main() -> None:
    """Try every fault, or the named ones, and write the row of each into the page when it ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", help="only faults of these names, for example results.peaks")
    names = parser.parse_args().name
    for fault in FAULTS:
        if not names or _name(fault) in names:
            _write(_row(fault))


def _write(row: str) -> None:
    """Write a row into the table; the rows of other faults stay as they are."""
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
