"""The tables of `make trust`: how far each method's runs lie apart, and from its own quiet ones."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import product
from statistics import median

from bench.trust.verdict import USABLE
from studies.trust.numbers import Number

# The suite's numbers once more, without those that it calls neither stable nor corrected.
USABLE_ONES = "suite, usable"
METHODS = ("suite", USABLE_ONES, "ort-median", "mean-of-n", "litert-tool")
SUMMARY = ("numbers", "median spread", "largest", "networks ≤ 3 %", "≤ 5 %", "median size of bias", "largest ")


def print_tables(numbers: Sequence[Number]) -> None:
    """Print every method's spread over the runs and its bias against its own quiet median, first in all, then a network
    and scenario.
    """
    cells: dict[tuple[str, str, str], list[Number]] = defaultdict(list)
    for number in numbers:
        cells[number.scenario, number.model, number.method].append(number)
        if number.verdict in USABLE:
            cells[number.scenario, number.model, USABLE_ONES].append(number)
    heads = [f"{method} {what}" for method in METHODS for what in ("spread", "bias")]
    print(f"| scenario | method | {' | '.join(SUMMARY)} |\n|---|---|{'---|' * len(SUMMARY)}")
    for scenario, method in product(dict.fromkeys(number.scenario for number in numbers), METHODS):
        print(f"| {scenario} | {method} | {' | '.join(_summary(cells, scenario, method))} |")
    print("\n| scenario | model | " + " | ".join(heads) + " | suite says |")
    print("|---|---|" + "---|" * (len(heads) + 1))
    for scenario, model in dict.fromkeys((number.scenario, number.model) for number in numbers):
        row = []
        for method in METHODS:
            here, quiet = cells[scenario, model, method], cells["quiet", model, method]
            row += [_percent(spread(here)), _percent(bias(here, quiet), sign="+")]
        said = Counter(number.verdict for number in cells[scenario, model, "suite"])
        words = ", ".join(f"{count} {word}" for word, count in said.most_common())
        print(f"| {scenario} | {model} | " + " | ".join(row) + f" | {words} |")


def _summary(cells: Mapping[tuple[str, str, str], list[Number]], scenario: str, method: str) -> list[str]:
    models = [model for where, model, how in cells if where == scenario and how == method and cells[where, model, how]]
    spreads = [found for model in models if (found := spread(cells[scenario, model, method])) is not None]
    quiet = ((cells[scenario, model, method], cells.get(("quiet", model, method), [])) for model in models)
    biases = [abs(found) for here, silent in quiet if (found := bias(here, silent)) is not None]
    count = sum(len(cells[scenario, model, method]) for model in models)
    if not spreads or not biases:
        return [str(count), *[""] * (len(SUMMARY) - 1)]
    within = (f"{sum(value <= bound for value in spreads)} of {len(spreads)}" for bound in (0.03, 0.05))
    return [
        str(count),
        f"{median(spreads):.1%}",
        f"{max(spreads):.1%}",
        *within,
        f"{median(biases):.1%}",
        f"{max(biases):.1%}",
    ]


def spread(here: Sequence[Number]) -> float | None:
    """(max - min) / median of the runs; None without two."""
    values = [number.seconds for number in here]
    return (max(values) - min(values)) / median(values) if len(values) > 1 else None


def bias(here: Sequence[Number], quiet: Sequence[Number]) -> float | None:
    """How far the runs' median is from that of the quiet runs, relative; None without either."""
    if not here or not quiet:
        return None
    return median(number.seconds for number in here) / median(number.seconds for number in quiet) - 1


def _percent(value: float | None, sign: str = "") -> str:
    return "" if value is None else f"{value:{sign}.1%}"
