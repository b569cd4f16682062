"""Which estimator agrees with itself: cut long sweeps into windows and see how far the windows' estimates lie apart.

    python -m bench cpu --budget 1500 --interval 1e-9 --max-rounds 100000 --results docs/trust/long
    python docs/trust/estimators.py docs/trust/long [--window 100]

Every window stands for a run of its own. For each estimator: the spread (max - min) / median over the windows, its
median and largest over the networks, and how many windows had a number at all. For the suite's own: how often a
window's interval holds the other windows' estimates.
"""

import argparse
from collections.abc import Callable, Iterable, Sequence
from itertools import permutations
from pathlib import Path
from statistics import mean, median

import msgspec

from bench.record import Measurement
from bench.store import read_results
from bench.trust import Limits, Round, clean_seconds, objection, undisturbed_s, value_s

Estimator = Callable[[Sequence[Round], Limits], float | None]
FEWEST = 4


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--window", type=float, default=100.0, help="seconds (default: %(default)s)")
    arguments = parser.parse_args()
    cells = {record.model.name: record.measurement for record in read_results(arguments.results) if record.measurement}
    windows = _windows(cells, arguments.window)
    print(f"{len(windows)} windows of {arguments.window:g} s, {len(cells)} networks\n")
    print("| estimator | median spread | largest spread | networks over 3 % | windows with a number |")
    print("|---|---|---|---|---|")
    for name, estimator in ESTIMATORS.items():
        print(_row(name, estimator, windows, list(cells)))
    print()
    print(_coverage(windows, list(cells)))


def _windows(cells: dict[str, Measurement], window_s: float) -> list[tuple[dict[str, list[Round]], Limits]]:
    """Of each window, every network's rounds and what its own readings say of the reference."""
    end_s = max(part.end_s for cell in cells.values() for part in cell.rounds)
    limits = next(iter(cells.values())).limits
    windows = []
    for number in range(int(end_s / window_s)):
        rounds = {
            name: [part for part in cell.rounds if number <= part.at_s / window_s < number + 1]
            for name, cell in cells.items()
        }
        readings = [
            reading
            for parts in rounds.values()
            for part in parts
            for reading in (part.before, part.after)
            if reading is not None
        ]
        reference_s = undisturbed_s(readings, limits.lost_share)
        windows.append((rounds, msgspec.structs.replace(limits, reference_s=reference_s)))
    return windows


def _row(name: str, estimator: Estimator, windows: list, models: Iterable[str]) -> str:
    spreads, numbers, possible = [], 0, 0
    for model in models:
        values = [estimator(rounds[model], limits) for rounds, limits in windows]
        known = [value for value in values if value is not None]
        numbers, possible = numbers + len(known), possible + len(values)
        if len(known) > 1:
            spreads.append((max(known) - min(known)) / median(known))
    if not spreads:
        return f"| {name} | | | | 0 of {possible} |"
    over = sum(spread > 0.03 for spread in spreads)
    return f"| {name} | {median(spreads):.1%} | {max(spreads):.1%} | {over} | {numbers} of {possible} |"


def _coverage(windows: list, models: Iterable[str]) -> str:
    hits = pairs = 0
    widths = []
    for model in models:
        estimates = []
        for rounds, limits in windows:
            trusted = [part for part in rounds[model] if objection(part, limits) is None]
            if len(trusted) >= 6:
                cell = Measurement(clock="", place={}, warmup_s=[], rounds=rounds[model], limits=limits)
                estimates.append(cell.estimate)
        widths += [found.half_width for found in estimates]
        for one, other in permutations(estimates, 2):
            hits, pairs = hits + (one.low_s <= other.median_s <= one.high_s), pairs + 1
    if not pairs:
        return "No two windows of a network have enough undisturbed rounds for an interval."
    return (
        f"A window's 95 % interval (median half-width {median(widths):.1%}) holds another window's estimate in "
        f"{hits / pairs:.1%} of {pairs} pairs."
    )


def _all(statistic: Callable[[list[float]], float]) -> Estimator:
    def estimator(rounds: Sequence[Round], limits: Limits) -> float | None:
        seconds = [second for part in rounds for second in part.samples.seconds]
        return statistic(seconds) if seconds else None

    return estimator


def _clean(quantile: float) -> Estimator:
    def estimator(rounds: Sequence[Round], limits: Limits) -> float | None:
        values = [median(clean) for part in rounds if (clean := clean_seconds(part.samples, limits.lost_share))]
        return _quantile(values, quantile) if len(values) >= FEWEST else None

    return estimator


def _divided(rounds: Sequence[Round], limits: Limits) -> float | None:
    values = [
        value_s(part, limits) / mean(part.before.seconds + part.after.seconds) * limits.reference_s
        for part in rounds
        if part.before is not None and part.after is not None and limits.reference_s is not None
    ]
    return median(values) if len(values) >= FEWEST else None


def _bracketed(tolerance: float, quantile: float) -> Estimator:
    def estimator(rounds: Sequence[Round], limits: Limits) -> float | None:
        strict = msgspec.structs.replace(limits, reference_tolerance=tolerance)
        values = [value_s(part, strict) for part in rounds if objection(part, strict) is None]
        return _quantile(values, quantile) if len(values) >= FEWEST else None

    return estimator


def _quantile(values: Sequence[float], quantile: float) -> float:
    ordered = sorted(values)
    place = quantile * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


ESTIMATORS: dict[str, Estimator] = {
    "median of all samples": _all(median),
    "mean of all samples": _all(mean),
    "fastest sample": _all(min),
    "median of rounds without waiting threads or steal": _clean(0.5),
    "their lower quartile": _clean(0.25),
    "median of rounds, each divided by its reference readings": _divided,
    "median of rounds between two undisturbed readings, 1 %": _bracketed(0.01, 0.5),
    "… 2 % (the suite's)": _bracketed(0.02, 0.5),
    "… 3 %": _bracketed(0.03, 0.5),
    "… 5 %": _bracketed(0.05, 0.5),
    "lower quartile of rounds between two undisturbed readings, 2 %": _bracketed(0.02, 0.25),
    "… 3 % ": _bracketed(0.03, 0.25),
}


if __name__ == "__main__":
    main()
