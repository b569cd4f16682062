"""Accuracies on disk: `results/accuracy/TARGET.jsonl`, one a line, appended and fsynced, never overwritten."""

from pathlib import Path

import msgspec

from bench.accuracy.record import SCHEMA, Accuracy
from bench.records.store import read_lines, warn_of_passed_over
from system.errors import UserError, one_line
from system.unreadable import UNREADABLE

_decoder = msgspec.json.Decoder(Accuracy)


def read_accuracies(results: Path) -> list[Accuracy]:
    """Every accuracy below a results folder, files by name, each oldest first; unreadable lines are reported on stderr.

    Raises UserError where a record's schema is newer than this suite's.
    """
    accuracies, unreadable = [], []
    for path in sorted((results / "accuracy").glob("*.jsonl")):
        for number, line in read_lines(path):
            try:
                accuracy = _decoder.decode(line)
            except UNREADABLE as error:
                unreadable.append(f"{path}:{number}: {one_line(error, 160)}")
                continue
            if accuracy.schema > SCHEMA:
                found = f"schema {accuracy.schema}, this one reads up to {SCHEMA}"
                raise UserError(f"{path}:{number} is of a newer version of this suite", found=found, fix="update it")
            accuracies.append(accuracy)
    warn_of_passed_over(unreadable)
    return accuracies
