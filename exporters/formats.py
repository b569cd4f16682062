"""The export formats: a module `to_FORMAT.py` each, found by name and imported when needed."""

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import exporters
from exporters.artifact import Fidelity, Job
from system.errors import UserError
from system.names import select

if TYPE_CHECKING:
    from exporters.cache import Cache


class Exporter(Protocol):
    """What a module `exporters/to_FORMAT.py` holds."""

    PRECISIONS: tuple[str, ...]  # the first is the default
    SUFFIX: str
    TOOLS: tuple[str, ...]  # the distributions whose versions are part of the key
    PRELOAD: tuple[str, ...]  # the modules that are worth importing once for many exports
    DYNAMIC_BATCH: bool  # whether the runtime fixes the batch, so that one file serves every batch
    PEAK_BYTES: int  # what the largest network of the zoo takes at the peak, with room to spare

    def export(self, job: Job, path: Path, cache: "Cache") -> Fidelity | None:
        """Write the file of `job` to `path` and check it against its source."""

    # A module may also hold `peak_bytes(job) -> int`, where its precisions differ in what they take,
    # `op_counts(path) -> dict[str, int]`, how many operations of each kind a file holds, the most frequent first, and
    # three things that become part of the key: `RECIPE`, a number, `source(job) -> Job`, the job whose file it starts
    # from, and `place(job) -> dict[str, str]`, what of the hardware its file depends on.


def formats() -> list[str]:
    """Every format that a module of this package exports to."""
    names = (module.name for module in pkgutil.iter_modules(exporters.__path__))
    return [name.removeprefix("to_") for name in names if name.startswith("to_")]


def exporter(format_name: str) -> Exporter:
    """The module that exports to a format; raises UserError naming the near ones."""
    if format_name not in formats():
        near = select(format_name, formats(), "format")
        raise UserError("no such format", found=repr(format_name), fix=f"did you mean {' or '.join(near)}?")
    return cast(Exporter, importlib.import_module(f"exporters.to_{format_name}"))
