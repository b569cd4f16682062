"""The numbers that `make trust` left on disk, one a line."""

from pathlib import Path

import msgspec

RESULTS = Path("studies/trust/results")
# The numbers that docs/trust.md shows are studies/trust/data/*-peers.jsonl.
NUMBERS = RESULTS / "numbers" / "peers.jsonl"


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """One number that one method gave in one run; `verdict`, half of the `interval` and `sweep` are the suite's."""

    scenario: str
    run: int
    method: str
    model: str
    seconds: float
    verdict: str = ""
    interval: float | None = None
    sweep: str = ""


def read_numbers(path: Path) -> list[Number]:
    """Every number of a file, oldest first."""
    return [msgspec.json.decode(line, type=Number) for line in path.read_bytes().splitlines()]
