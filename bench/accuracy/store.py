"""Accuracies on disk: `results/accuracy/TARGET.jsonl`, one a line, appended and fsynced, never overwritten."""

from pathlib import Path

import msgspec

from bench.accuracy.record import SCHEMA, Accuracy
from bench.records.store import read_documents

_decoder = msgspec.json.Decoder(Accuracy)


def read_accuracies(results: Path) -> list[Accuracy]:
    """Every accuracy below a results folder, files by name, each oldest first; unreadable lines are reported on stderr.

    Raises UserError where a record's schema is newer than this suite's.
    """
    files = sorted((results / "accuracy").glob("*.jsonl"))
    return [accuracy for path in files for accuracy in read_documents(path, _decoder.decode, SCHEMA)]
