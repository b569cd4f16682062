"""Records on disk: `results/TARGET.jsonl`, one a line, appended and fsynced, never overwritten."""

import errno
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from bench.records.record import SCHEMA, Record
from bench.trust.verdict import judge
from system.errors import UserError, one_line
from system.unreadable import UNREADABLE

# Of lines that are held to be written with one fsync.
_AT_ONCE_BYTES = 4_000_000

_BUFFER_BYTES = 1 << 18  # of some records; Python's own holds a third of one, and reading takes twice as long

_decoder = msgspec.json.Decoder(Record)


class Document(Protocol):
    """What a line holds, by the version of its schema."""

    @property
    def schema(self) -> int: ...


DocumentT = TypeVar("DocumentT", bound=Document)


class _Schema(msgspec.Struct):
    schema: int


def append_line(path: Path, document: object) -> None:
    """Append a document as one JSON line and fsync it; after a failed write the file is as it was before.

    Raises UserError where the line can't be written; the document then lies in the temporary folder it names.
    """
    _append(path, [msgspec.json.encode(document)])


def append_lines(path: Path, documents: Iterable[object]) -> None:
    """Append documents as JSON lines, many with one fsync: a fleet's disk is asked for fewer.

    Raises UserError as `append_line`, where those written so far may be in the file.
    """
    lines: list[bytes] = []
    size_bytes = 0
    for document in documents:
        lines.append(msgspec.json.encode(document))
        size_bytes += len(lines[-1])
        if size_bytes > _AT_ONCE_BYTES:
            _append(path, lines)
            lines, size_bytes = [], 0
    if lines:
        _append(path, lines)


def _append(path: Path, lines: Sequence[bytes]) -> None:
    content = b"".join(line + b"\n" for line in lines)
    try:
        append_bytes(path, content)
    except OSError as error:
        raise UserError(
            f"can't write {path}",
            found=error.strerror or str(error),
            fix=f"make room, then append {_rescue(path, content, len(lines))} to it: that is what was measured",
        ) from error


def _rescue(path: Path, content: bytes, lines: int) -> str:
    """Where lines that their file did not take are kept: another folder, or nothing but the screen."""
    try:
        with tempfile.NamedTemporaryFile(prefix=f"{path.stem}-", suffix=".jsonl", delete=False) as rescue:
            rescue.write(content)
    except OSError:  # the same full disk
        print(content.decode(), end="", file=sys.stderr)  # noqa: T201
        return "the line above" if lines == 1 else f"the {lines} lines above"
    return rescue.name


def append_bytes(path: Path, lines: bytes) -> None:
    """Append whole lines to a file, made where it is missing, and fsync them.

    Raises OSError where they can't be written; the file is then as it was before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(file).st_size
        # A power cut may have torn the last line; the next one must not share it.
        if size and os.pread(file, 1, size - 1) != b"\n":
            lines = b"\n" + lines
        try:
            written = os.write(file, lines)
            if written != len(lines):  # a full disk takes what fits
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file)
        except OSError:
            with suppress(OSError):  # a device such as /dev/full has no size
                os.ftruncate(file, size)
            raise
    finally:
        os.close(file)


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The non-empty lines of a file with their numbers; none where there is no file."""
    return ((number, line) for number, line in all_lines(path) if line.strip())


def all_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Every line of a file, as it is, with its number; none where there is no file."""
    try:
        with path.open("rb", buffering=_BUFFER_BYTES) as file:
            yield from enumerate(file, start=1)
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(f"can't read {path}", found=error.strerror or str(error), fix="mend its permissions") from error


def read_records(path: Path) -> list[Record]:
    """Every record of a file, oldest first; lines that can't be read are reported on stderr and passed over.

    Numbers are estimated from the raw times by this version, so the verdict is too, where the record has what that
    needs. Raises UserError where a record's schema is newer than this suite's.
    """
    return read_documents(path, lambda line: judged(_decoder.decode(line)), SCHEMA)


def read_documents(path: Path, decode: Callable[[bytes], DocumentT], newest: int) -> list[DocumentT]:
    """Every document of a file, oldest first; lines that can't be read are reported on stderr and passed over.

    Raises UserError where a line's schema is newer than `newest`, this suite's.
    """
    documents: list[DocumentT] = []
    passed_over: list[str] = []
    for number, line in read_lines(path):
        try:
            documents.append(decode(line))
        except UNREADABLE as error:
            refuse_newer(path, number, line, newest)
            passed_over.append(f"{path}:{number}: {one_line(error, 160)}")
            continue
        if documents[-1].schema > newest:
            refuse_newer(path, number, line, newest)
    warn_of_passed_over(passed_over)
    return documents


def judged(record: Record) -> Record:
    """A record with the verdict that fits its numbers; one of schema 1, which has no basis, keeps its own.

    So does one whose times can't have been measured, which reports show no number of.
    """
    measured = record.measurement
    if measured is None or measured.basis is None or not measured.possible:
        return record
    return msgspec.structs.replace(record, verdict=judge(measured, record.protocol))


def warn_of_passed_over(passed_over: list[str]) -> None:
    """Say on stderr how many lines could not be read, and which was the first."""
    if passed_over:
        print(  # noqa: T201
            f"warning: {len(passed_over)} unreadable lines passed over, the first is {passed_over[0]}", file=sys.stderr
        )


def read_results(folder: Path) -> list[Record]:
    """The records of every `*.jsonl` file of a folder, files by name, each as `read_records` reads it."""
    return [record for path in sorted(folder.glob("*.jsonl")) for record in read_records(path)]


def refuse_newer(path: Path, number: int, line: bytes, newest: int) -> None:
    """Raise UserError where a line's schema is newer than `newest`, this suite's."""
    try:
        schema = msgspec.json.decode(line, type=_Schema).schema
    except UNREADABLE:
        return
    if schema > newest:
        raise UserError(
            f"{path}:{number} was written by a newer version of this suite",
            found=f"schema {schema}, this one reads up to {newest}",
            fix="update the suite",
        )
