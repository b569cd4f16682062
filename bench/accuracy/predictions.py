"""`Predictions`: what one subject answered, image by image, on disk, so that an evaluation can go on where it ended."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.accuracy.images import Image
from bench.accuracy.subject import Subject
from bench.records.store import append_bytes, read_lines
from system.errors import UserError
from system.files import alone
from system.unreadable import UNREADABLE

# What an interruption may lose, in seconds of work.
_WRITE_EVERY_S = 2.0


class Facts(msgspec.Struct, frozen=True, kw_only=True, tag_field="line", tag="facts"):
    """The first line: what the predictions below it are of (`Subject.facts`)."""

    facts: dict[str, object]


class RanOn(msgspec.Struct, frozen=True, kw_only=True, tag_field="line", tag="ran_on"):
    """Where the predictions below it ran; those above ran elsewhere, if there are any."""

    ran_on: dict[str, str | int]


class Prediction(msgspec.Struct, frozen=True, kw_only=True, tag_field="line", tag="image"):
    """The five likeliest classes of one image, likeliest first, none where a logit isn't finite.

    `sha256` is that of the image's content. `remark` says what it was made of, "" where there is nothing to say.
    """

    name: str
    sha256: str
    top5: tuple[int, ...]
    remark: str = ""


_decoder = msgspec.json.Decoder(Facts | RanOn | Prediction)


class Predictions:
    """The predictions of one subject, by image; new ones are appended to its file and fsynced in blocks."""

    def __init__(self, path: Path, facts: dict[str, object]) -> None:
        self._path, self._facts = path, facts
        self._of: dict[tuple[str, str], Prediction] = {}
        self.ran_on: dict[str, str | int] = {}
        self._unwritten: list[Facts | RanOn | Prediction] = []
        self._written_s = time.monotonic()
        self._read()

    def of(self, image: Image) -> Prediction | None:
        """What was answered of an image of this name and content."""
        return self._of.get((image.name, image.sha256))

    def add(self, prediction: Prediction) -> None:
        """Keep a prediction. Raises UserError where it can't be written."""
        self._of[prediction.name, prediction.sha256] = prediction
        self._unwritten.append(prediction)
        if time.monotonic() - self._written_s > _WRITE_EVERY_S:
            self.write()

    def opened(self, ran_on: dict[str, str | int]) -> None:
        """Take note of where new predictions run; those that ran elsewhere are no longer of this subject."""
        if ran_on == self.ran_on:
            return
        if self._of:
            print(f"warning: {self._path} ran on {self.ran_on}, not on {ran_on}: from the start", file=sys.stderr)  # noqa: T201
        if not self.ran_on:
            self._unwritten.append(Facts(facts=self._facts))
        self._of, self.ran_on = {}, ran_on
        self._unwritten.append(RanOn(ran_on=ran_on))

    def write(self) -> None:
        """Put on disk what isn't there yet. Raises UserError where that fails; the file is then as it was."""
        self._written_s = time.monotonic()
        if not self._unwritten:
            return
        lines = b"".join(msgspec.json.encode(line) + b"\n" for line in self._unwritten)
        try:
            append_bytes(self._path, lines)
        except OSError as error:
            fix = "make room, then give the same command again"
            raise UserError(f"can't write {self._path}", found=error.strerror or str(error), fix=fix) from error
        self._unwritten.clear()

    def _read(self) -> None:
        """Take up what the file holds; a line that was torn is as if it hadn't been predicted."""
        for _, line in read_lines(self._path):
            try:
                entry = _decoder.decode(line)
            except UNREADABLE:
                continue
            if isinstance(entry, Prediction):
                self._of[entry.name, entry.sha256] = entry
            elif isinstance(entry, RanOn) and entry.ran_on != self.ran_on:
                self._of, self.ran_on = {}, entry.ran_on


@contextmanager
def predictions_of(subject: Subject, results: Path) -> Iterator[Predictions]:
    """The predictions of a subject, held against other processes; what is left to write is written at the end.

    Waits while another process evaluates the same subject. Raises UserError where the file can't be written or read.
    """
    path = subject.predictions_file(results)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = alone(path.with_suffix(".lock"), f"waiting for another evaluation, which writes {path}")
    except OSError as error:
        found = error.strerror or str(error)
        raise UserError(f"can't write {path}", found=found, fix="mend it, or give --results") from error
    with held:
        predictions = Predictions(path, subject.facts())
        try:
            yield predictions
        finally:
            predictions.write()
