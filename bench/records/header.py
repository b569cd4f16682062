"""The newest record of every cell, found by a glance at each line: years of runs stay cheap to report."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.records.record import SCHEMA, Record
from bench.records.store import all_lines, judged, refuse_newer, warn_of_passed_over
from system.errors import one_line
from system.unreadable import UNREADABLE


class _Named(msgspec.Struct):
    name: str


class _Moment(msgspec.Struct, frozen=True):
    time: str = ""


class _Conditions(msgspec.Struct, frozen=True):
    end: _Moment = _Moment()


class _Present(msgspec.Struct):
    """Something of which nothing is read."""


class _Head(msgspec.Struct):
    """The little of a record that says which cell it is of and when it was written."""

    schema: int
    model: _Named
    target: _Named
    conditions: _Conditions = _Conditions()


class _Glance(_Head):
    """Also whether it holds a number."""

    measurement: _Present | None = None


class _Line(NamedTuple):
    """Where on disk a record is, and what a glance at it told."""

    time: str
    path: Path
    number: int
    offset: int
    measured: bool


# Where the part of a record begins that holds its raw times, which are nearly all of it. Within a text the quotation
# marks would be escaped.
_TIMES = b',"measurement":'

_head_decoder = msgspec.json.Decoder(_Head)
_glancer = msgspec.json.Decoder(_Glance)
_decoder = msgspec.json.Decoder(Record)


def newest_records(folder: Path) -> Iterator[Record]:
    """The newest record of each cell (model and target) of a folder and, where that has no number, the newest with one.

    The newest comes first. The raw times of all other records are not read. Lines that can't be read as far as that are
    reported on stderr and passed over. Raises UserError as `read_records` does.
    """
    cells: dict[tuple[str, str], list[_Line]] = {}
    passed_over: list[str] = []
    for path in sorted(folder.glob("*.jsonl")):
        _survey(path, cells, passed_over)
    for lines in cells.values():
        # Times are of whole seconds: of two records of one second the later line is the newer.
        yield from _decode(sorted(lines, key=lambda line: line.time)[::-1], passed_over)
    warn_of_passed_over(passed_over)


def _survey(path: Path, cells: dict[tuple[str, str], list[_Line]], passed_over: list[str]) -> None:
    """Add the lines of a file to the cells that their records are of."""
    offset = 0
    for number, line in all_lines(path):
        here, offset = offset, offset + len(line)
        if not line.strip():
            continue
        try:
            glance, measured = _glance(line)
        except UNREADABLE as error:
            refuse_newer(path, number, line, SCHEMA)
            passed_over.append(f"{path}:{number}: {one_line(error, 160)}")
            continue
        if glance.schema > SCHEMA:
            refuse_newer(path, number, line, SCHEMA)
        seen = _Line(glance.conditions.end.time, path, number, here, measured)
        cells.setdefault((glance.model.name, glance.target.name), []).append(seen)


def _glance(line: bytes) -> tuple[_Head, bool]:
    """What a whole line says before its raw times, which are not read, and whether it has them.

    A line that was torn, or has its parts in another order, is read to its end. Raises as msgspec does.
    """
    at = line.find(_TIMES)
    if at > 0 and line.endswith(b"}\n"):
        try:
            return _head_decoder.decode(line[:at] + b"}"), not line.startswith(b"null", at + len(_TIMES))
        except msgspec.DecodeError:  # a part of the record has a key of this name too
            pass
    glance = _glancer.decode(line)
    return glance, glance.measurement is not None


def _decode(lines: list[_Line], passed_over: list[str]) -> Iterator[Record]:
    """The record of the first line, and of the first with a number; one that can't be read gives way to the next."""
    found = False
    for line in lines:
        if found and not line.measured:
            continue
        try:
            with line.path.open("rb") as file:
                file.seek(line.offset)
                record = judged(_decoder.decode(file.readline()))
        except UNREADABLE as error:
            passed_over.append(f"{line.path}:{line.number}: {one_line(error, 160)}")
            continue
        found = True
        yield record
        if line.measured:
            return
