"""Networks in files that users bring, and what a sweep of hostile ones comes to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.records.store import read_records
from models import UserError, find
from tests.faults.command import command

_LIMIT_S = 600


def read(sources: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Of sources such as `onnx:PATH` those that are read, and the one line that each of the others is refused with."""
    taken, refused = [], {}
    for source in sources:
        try:
            find(source)
            taken.append(source)
        except UserError as error:
            assert "\n" not in str(error), error
            refused[source] = str(error)
    return taken, refused


def outcomes(folder: Path, sources: Sequence[str]) -> Counter[str]:
    """How many files were refused when they were read, have a reason in place of a number, or were measured.

    Those that are read are measured in one sweep, which must end with a record of each.
    """
    taken, refused = read(sources)
    found = Counter(refused=len(refused))
    if taken:
        records = swept(folder, taken)
        assert set(records) == set(taken), set(taken) - set(records)
        found += Counter("measured" if measured else "reasons" for measured in records.values())
    return found


def swept(folder: Path, sources: Sequence[str], target: str = "cpu") -> Mapping[str, bool]:
    """Whether each network of a short sweep has a number; each has a record, with a reason of one line where not."""
    models = [word for source in sources for word in ("--model", source)]
    brief = ["--budget", "1", "--min-visits", "1", "--max-visits", "1", "--warmup", "0", "--timeout", "60"]
    paths = ["--results", folder / "results", "--artifacts", folder / "artifacts"]
    ended = command("bench", target, *models, *brief, *paths, timeout=_LIMIT_S)
    assert ended.returncode in {0, 1}, ended.stderr
    records = read_records(folder / "results" / f"{target}.jsonl")
    for record in records:
        assert (record.measurement is None) == (record.reason is not None), record.reason
        assert "\n" not in (record.reason or "")
    return {record.model.name: record.measurement is not None for record in records}


def said(found: Counter[str]) -> str:
    """The counts in words."""
    words = {
        "refused": "refused with one error when read",
        "reasons": "a record with the reason",
        "measured": "measured",
    }
    return ", ".join(f"{found[name]} {text}" for name, text in words.items() if found[name])
