"""The numbers that `make trust` left on disk: one a line, and the visits behind those that are the suite's."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from bench.protocol import Protocol
from bench.records.record import Record
from bench.records.store import read_results
from bench.trust.verdict import judge

RESULTS = Path("studies/trust/results")
# Whoever runs it gets a file of their own: beside it lies studies/trust/peers.jsonl, what docs/trust.md shows.
NUMBERS = RESULTS / "numbers" / "peers.jsonl"


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """One number that one method gave in one run; `verdict` and `sweep` are the suite's."""

    scenario: str
    run: int
    method: str
    model: str
    seconds: float
    verdict: str = ""
    sweep: str = ""


def read_numbers(path: Path) -> list[Number]:
    """Every number of a file, oldest first."""
    return [msgspec.json.decode(line, type=Number) for line in path.read_bytes().splitlines()]


def again(numbers: Sequence[Number]) -> list[Number]:
    """The same numbers, the suite's as its present estimator and verdict make them of the same visits."""
    found = {}
    for record in by_present_protocol(read_results(RESULTS)):
        assert record.measurement is not None and record.verdict is not None
        estimate_s, word = record.measurement.estimate.median_s, record.verdict.word
        found[record.sweep, record.model.name] = {"seconds": estimate_s, "verdict": word}
    return [msgspec.structs.replace(number, **found.get((number.sweep, number.model), {})) for number in numbers]


def by_present_protocol(records: Iterable[Record]) -> Iterator[Record]:
    """Records with a measurement, estimated and judged by the present protocol from the visits that they keep.

    What the reference works take on the undisturbed machine stays what each sweep knew of it.
    """
    now = Protocol()
    for record in records:
        if record.measurement is not None:
            limits = msgspec.structs.replace(
                record.measurement.limits,
                lost_share=now.lost_share,
                tolerance=now.tolerance(),
                run_to_run=now.run_to_run,
            )
            measurement = msgspec.structs.replace(record.measurement, limits=limits)
            yield msgspec.structs.replace(record, measurement=measurement, verdict=judge(measurement, now))
