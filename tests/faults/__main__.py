"""Plant faults that users meet, check how the suite reacts, and write the outcomes into docs/reliability.md.

    make faults
    make faults ARGS="downloads.cut signals"    # only these: one by its module and function, all of a module

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
    clocks,
    disk,
    downloaders,
    downloads,
    duets,
    evaluations,
    fleets,
    given,
    hostile_files,
    hostile_folders,
    hostile_images,
    hostile_onnx,
    memory,
    old,
    photographs,
    results,
    sharing,
    signals,
    surroundings,
    sweeps,
    text,
    trespass,
)
from tests.faults.page import write

Fault = Callable[[Path], tuple[int, str]]

THEMES: dict[str, tuple[Fault, ...]] = {
    "Sweeps": (
        sweeps.killed,
        sweeps.losing_workers,
        sweeps.losing_the_reference,
        sharing.results,
        sharing.cache,
        signals.terminated,
        signals.hung_up,
        signals.interrupted,
        signals.closed_reader,
        signals.closed_streams,
        clocks.set_back,
        clocks.between,
        clocks.suspended,
        clocks.stopped_worker,
    ),
    "Evaluations and duets": (
        evaluations.killed,
        evaluations.losing_processes,
        duets.killed,
        duets.ending,
    ),
    "Fleets": (
        fleets.program_killed,
        fleets.node_replaced,
        fleets.node_lost,
        fleets.node_lost_exporting,
        fleets.answers,
        fleets.other_versions,
        fleets.device_held,
        fleets.driver_killed,
        fleets.no_suite,
        fleets.store_full,
    ),
    "Disk and memory": (
        disk.full,
        disk.unwritable,
        evaluations.full_disk,
        duets.full_disk,
        downloaders.full,
        downloaders.unkept,
        memory.address_space,
    ),
    "Files of the suite": (
        cached.artifact_bits,
        cached.artifacts,
        cached.sidecars,
        trespass.external_data,
        results.records,
        results.journals,
        results.epochs,
        results.peaks,
        results.profiles,
        evaluations.damaged_files,
        duets.journals,
        old.records,
        old.resumed,
        old.newer,
        old.duets,
    ),
    "Networks and other files of the user": (
        given.targets,
        given.checkpoints,
        trespass.code,
        hostile_onnx.graphs,
        hostile_onnx.ends,
        hostile_onnx.tensors,
        hostile_onnx.operators,
        hostile_onnx.nested,
        hostile_onnx.damaged_files,
        hostile_onnx.elsewhere,
        hostile_files.tflite,
        hostile_files.tflite_run,
        hostile_files.programs,
        hostile_files.program_code,
        hostile_files.code,
    ),
    "Images of the user": (
        given.calibration,
        photographs.images,
        photographs.labels,
        photographs.killed,
        hostile_images.bombs,
        hostile_images.cut_short,
        hostile_images.rotations,
        hostile_images.animations,
        hostile_images.modes,
        hostile_folders.names,
        hostile_folders.entries,
        hostile_folders.links,
        hostile_folders.vanishing,
    ),
    "Downloads": (
        cached.downloads,
        cached.published,
        downloads.refused,
        downloads.silent,
        downloads.stalled,
        downloads.cut,
        downloads.lengths,
        downloads.statuses,
        downloads.redirects,
        downloads.ranges,
        downloads.pages,
        downloads.contents,
        downloaders.killed,
        downloaders.together,
    ),
    "Hostile text": (
        text.structures,
        text.names,
        text.records,
        text.rendered,
    ),
    "Surroundings": (
        surroundings.home,
        surroundings.temporary,
        surroundings.language,
        surroundings.paths,
        surroundings.relative,
        surroundings.few_files,
        surroundings.private,
        surroundings.vanished,
    ),
}


def main() -> None:
    """Try every fault, or the named ones, and write the row of each into the page when it ends.

    Exits with 2 where a name is of no fault.
    """
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
