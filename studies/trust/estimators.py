"""Which estimator agrees with itself: of several sweeps of the same networks, see how far the estimates lie apart.

    make trust                                     # five sweeps a scenario, and their peers
    python -m studies.trust.estimators quiet

For each estimator: the spread (max - min) / median over the sweeps, its median and largest over the networks, and how
many cells had a number at all. For the suite's own: how often a sweep's interval holds the other sweeps' estimates, and
how often `reports compare` finds a difference between two sweeps where there is none.
"""

import argparse
from collections.abc import Callable, Sequence
from itertools import combinations, permutations
from pathlib import Path
from statistics import mean, median

import msgspec

from bench.records.record import Measurement, Record
from bench.records.store import read_results
from bench.trust.rejection import Limits, Visit, clean_seconds, rejection_reason, value_s
from reports.compare.compare import compare
from studies.trust.numbers import NUMBERS, RESULTS, by_present_protocol, read_numbers

Estimator = Callable[[Sequence[Visit], Limits], float | None]
FEWEST = 4


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", help="of those that the numbers have")
    parser.add_argument("--numbers", type=Path, default=NUMBERS, help="what make trust wrote (default: %(default)s)")
    arguments = parser.parse_args()
    sweeps = _sweeps(arguments.scenario, arguments.numbers)
    networks: dict[str, list[Record]] = {}
    for records in sweeps.values():
        for record in records:
            networks.setdefault(record.model.name, []).append(record)
    print(f"{len(sweeps)} sweeps, {len(networks)} networks\n")
    print("| estimator | median spread | largest spread | networks over 3 % | cells with a number |")
    print("|---|---|---|---|---|")
    for name, estimator in ESTIMATORS.items():
        print(_row(name, estimator, list(networks.values())))
    print(f"\n{_coverage(list(networks.values()))}\n\n{_alarms(list(sweeps.values()))}")


def _sweeps(scenario: str, numbers: Path) -> dict[str, list[Record]]:
    """The records of a scenario's sweeps, which `make trust` left."""
    wanted = {number.sweep for number in read_numbers(numbers) if number.scenario == scenario}
    sweeps: dict[str, list[Record]] = {}
    for record in by_present_protocol(read_results(RESULTS)):
        if record.sweep in wanted:
            sweeps.setdefault(record.sweep, []).append(record)
    return sweeps


def _row(name: str, estimator: Estimator, networks: Sequence[Sequence[Record]]) -> str:
    spreads, numbers, possible = [], 0, 0
    for records in networks:
        measured = [record.measurement for record in records if record.measurement]
        values = [estimator(found.visits, found.limits) for found in measured]
        known = [value for value in values if value is not None]
        numbers, possible = numbers + len(known), possible + len(values)
        if len(known) > 1:
            spreads.append((max(known) - min(known)) / median(known))
    if not spreads:
        return f"| {name} | | | | 0 of {possible} |"
    over = sum(spread > 0.03 for spread in spreads)
    return f"| {name} | {median(spreads):.1%} | {max(spreads):.1%} | {over} | {numbers} of {possible} |"


def _coverage(networks: Sequence[Sequence[Record]]) -> str:
    estimates = [
        [record.measurement.estimate for record in records if record.measurement and _stable(record)]
        for records in networks
    ]
    pairs = [pair for found in estimates for pair in permutations(found, 2)]
    if not pairs:
        return "No two sweeps have a stable number of the same network."
    hits = sum(one.low_s <= other.median_s <= one.high_s for one, other in pairs)
    width = median(found.half_width for one in estimates for found in one)
    return (
        f"A stable number's 95 % interval (median half-width {width:.1%}) holds another sweep's estimate in "
        f"{hits / len(pairs):.1%} of {len(pairs)} pairs."
    )


def _alarms(sweeps: Sequence[Sequence[Record]]) -> str:
    comparisons = [
        [found for found in compare(one, other) if found.p is not None and not found.reason]
        for one, other in combinations(sweeps, 2)
    ]
    tested = [comparison for comparison in comparisons if comparison]
    alarmed = sum(any(found.different for found in comparison) for comparison in tested)
    claims = [found.different for comparison in tested for found in comparison]
    return (
        f"`reports compare` claims a difference in {alarmed} of {len(tested)} comparisons of two sweeps with stable "
        f"numbers, for {sum(claims)} of {len(claims)} such numbers."
    )


def _stable(record: Record) -> bool:
    return record.verdict is not None and record.verdict.word == "stable"


def _all(statistic: Callable[[list[float]], float]) -> Estimator:
    def estimator(visits: Sequence[Visit], limits: Limits) -> float | None:
        seconds = [second for part in visits for second in part.samples.seconds]
        return statistic(seconds) if seconds else None

    return estimator


def _clean(quantile: float) -> Estimator:
    def estimator(visits: Sequence[Visit], limits: Limits) -> float | None:
        values = [median(clean) for part in visits if (clean := clean_seconds(part.samples, limits.lost_share))]
        return _quantile(values, quantile) if len(values) >= FEWEST else None

    return estimator


def _bracketed(arithmetic: float, exchange: float, quantile: float = 0.5, *, divided: bool = True) -> Estimator:
    tolerance = {"arithmetic": arithmetic, "exchange": exchange}

    def estimator(visits: Sequence[Visit], limits: Limits) -> float | None:
        strict = msgspec.structs.replace(limits, tolerance=tolerance)
        kept = [part for part in visits if rejection_reason(part, strict) is None]
        if not divided:
            strict = msgspec.structs.replace(strict, reference_s={})
        return _quantile([value_s(part, strict) for part in kept], quantile) if len(kept) >= FEWEST else None

    return estimator


def _quantile(values: Sequence[float], quantile: float) -> float:
    ordered = sorted(values)
    place = quantile * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def _suite(visits: Sequence[Visit], limits: Limits) -> float | None:
    return Measurement(clock="", ran_on={}, warmup_s=[], visits=list(visits), limits=limits).estimate.median_s


ANY = 1e9
ESTIMATORS: dict[str, Estimator] = {
    "median of all samples": _all(median),
    "mean of all samples": _all(mean),
    "fastest sample": _all(min),
    "median of visits without waiting threads or steal": _clean(0.5),
    "their lower quartile": _clean(0.25),
    "visits between readings with arithmetic within 4 %": _bracketed(0.04, ANY, divided=False),
    "… exchange within 12 %": _bracketed(ANY, 0.12, divided=False),
    "… arithmetic within 4 %, exchange within 12 %": _bracketed(0.04, 0.12, divided=False),
    "… divided by what of the readings' slowdown is shared": _bracketed(0.04, 0.12),
    "… or the least disturbed where none is left (the suite's)": _suite,
    "divided, arithmetic within 2 %, exchange within 6 %": _bracketed(0.02, 0.06),
    "divided, arithmetic within 8 %, exchange within 24 %": _bracketed(0.08, 0.24),
    "divided, any": _bracketed(ANY, ANY),
    "divided, arithmetic within 4 %, exchange within 12 %, lower quartile": _bracketed(0.04, 0.12, 0.25),
}


if __name__ == "__main__":
    main()
