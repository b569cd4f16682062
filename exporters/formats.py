"""The export formats: the `FORMAT` of each module `to_NAME.py`, found by name and imported when needed."""

import importlib
import sys

from exporters.artifact import Job
from exporters.format import Format
from exporters.format_names import formats
from exporters.given import given_file, refuse_without_module
from system.errors import UserError
from system.names import select


def find_format(name: str) -> Format:
    """The format of that name. Raises UserError naming the near ones, or where its module holds no `Format`."""
    # The folder is listed for a new name only: a sweep asks a few times for each network.
    if f"exporters.to_{name}" not in sys.modules and name not in formats():
        near = select(name, formats(), "format")
        raise UserError("no such format", found=repr(name), fix=f"did you mean {' or '.join(near)}?")
    found = vars(importlib.import_module(f"exporters.to_{name}")).get("FORMAT")
    if not isinstance(found, Format):
        what = "no FORMAT" if found is None else f"FORMAT is a {type(found).__name__}"
        raise UserError(f"exporters/to_{name}.py defines no format", found=what, fix="give it FORMAT = Format(…)")
    return found


def chain(job: Job) -> list[Job]:
    """The jobs whose files it takes to make that of `job`: each is derived from the one before, the last is `job`.

    The first is made from the torch module, or is the file that the network came as. Raises UserError where a format
    is unknown, or has no such precision or no dynamic batch; NetworkError where the network's file is of another kind.
    """
    format_ = find_format(job.format)
    if job.precision not in format_.precisions:
        known = ", ".join(format_.precisions)
        raise UserError(f"no such precision of {job.format}", found=job.precision, fix=f"choose {known}")
    if job.batch is None and not format_.dynamic_batch:
        raise UserError(f"{job.format} files have a fixed batch", found="a dynamic one", fix="give --batch N")
    if given_file(job):
        return [job]
    source = format_.source(job)
    if source is not None:
        return [*chain(source), job]
    refuse_without_module(job)
    return [job]
