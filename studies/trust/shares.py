"""How much of the reference works' slowdown each network shares, fitted over every round that `make trust` left.

    python -m studies.trust.shares [FILE ...]

Rounds with clean samples and two clean readings that agree within 10 %, arithmetic up to 8 % and exchange up to 65 %
slower than ever seen: log(time) = log(time at rest) + a * log(arithmetic's slowdown) + e * log(exchange's), by a robust
fit (Huber's loss). bench/trust/rejection.py divides one pair of shares out for all networks.
"""

import argparse
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean, median

import numpy as np
from scipy.optimize import least_squares

from bench.protocol import Protocol
from bench.records.record import Record
from bench.records.store import read_records
from bench.trust.rejection import Visit, clean_seconds, reading_s
from studies.trust.numbers import RESULTS

WORKS = ("arithmetic", "exchange")
MOST_SLOWER = {"arithmetic": 0.08, "exchange": 0.65}
LOST_SHARE = Protocol().lost_share
# A residual beyond this, relative, counts by its size and no longer by its square.
USUAL = 0.01

# What a round took, and the means of the readings around it by work, in seconds.
Point = tuple[float, Mapping[str, float]]


def main() -> None:
    """Print a row a network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="*", type=Path, default=[RESULTS / "cpu.jsonl"], help="records of one machine")
    records = [record for file in parser.parse_args().file for record in read_records(file) if record.measurement]
    points: dict[str, list[Point]] = defaultdict(list)
    for record in records:
        points[record.model.name] += _points(record)
    fastest_s = {work: min(around[work] for each in points.values() for _, around in each) for work in WORKS}
    print(f"{len({record.sweep for record in records})} sweeps\n")
    print("| model | visits | at rest, ms | share of arithmetic's | share of the exchange's | typical residual |")
    print("|---|---:|---:|---:|---:|---:|")
    for model, each in points.items():
        print(f"| {model} | {_row(each, fastest_s)} |")


def _points(record: Record) -> Iterator[Point]:
    assert record.measurement is not None
    options = record.target.options
    longer = 1 + float(options.get("planted_slowdown", options.get("pad", 0)))  # it was called pad at first
    for visit in record.measurement.visits:
        seconds = clean_seconds(visit.samples, LOST_SHARE)
        around = {work: _around(visit, work) for work in WORKS}
        if seconds and None not in around.values():
            yield median(seconds) / longer, {work: value for work, value in around.items() if value is not None}


def _around(visit: Visit, work: str) -> float | None:
    """The mean of the readings before and after a visit; None where they aren't clean or don't agree."""
    both = [reading_s(readings[work], LOST_SHARE) for readings in (visit.before, visit.after) if work in readings]
    known = [value for value in both if value is not None]
    return mean(known) if len(known) == 2 and max(known) < 1.1 * min(known) else None


def _row(points: Sequence[Point], fastest_s: Mapping[str, float]) -> str:
    rows = [
        (math.log(seconds), 1.0, *(math.log(around[work] / fastest_s[work]) for work in WORKS))
        for seconds, around in points
        if all(around[work] <= fastest_s[work] * (1 + MOST_SLOWER[work]) for work in WORKS)
    ]
    times, slowdowns = np.array(rows)[:, 0], np.array(rows)[:, 1:]
    start = [float(np.median(times)), 1.0, 0.3]
    found = least_squares(lambda shares: slowdowns @ shares - times, start, loss="huber", f_scale=USUAL).x
    typical = float(np.median(np.abs(slowdowns @ found - times)))
    return f"{len(rows)} | {math.exp(found[0]) * 1e3:.2f} | {found[1]:.2f} | {found[2]:.2f} | {typical:.1%}"


if __name__ == "__main__":
    main()
