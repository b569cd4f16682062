"""How far repeated runs of one measurement lie apart: this suite's and three plain loops of its peers, interleaved.

    python -m docs.trust.peers [--runs 5] [--seconds 5] [--model GLOB] [--scenario quiet half throughout]

The suite learns from earlier sweeps what a machine can do; where there are none, one that doesn't count leads. Each run
measures every network by each method with the same seconds a number; a run's methods follow each other, so that all see
the same hours of the host. A neighbour that keeps every core busy is off, on half of the time (three seconds on, three
off), or on throughout. Every number is appended to OUT as it comes; the tables are printed from OUT.

Methods: `suite`, this suite's estimate; `ort-median`, the median of a bare ONNX Runtime loop after ten warm-ups;
`mean-of-n`, the mean of the same loop, as timm's benchmark takes it; `litert-tool`, the median of ai_edge_litert's
benchmark_litert_model.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from statistics import mean, median

import msgspec

from bench.protocol import Protocol
from bench.record import Record
from bench.store import read_results
from bench.sweep import Order, sweep
from bench.verdict import judge
from devices.targets import find_targets
from devices.worker import open_session
from docs.trust.neighbour import Neighbour
from exporters.cache import Cache
from exporters.machine import usable_cores
from models import Model, find

SCENARIOS = {"quiet": None, "half": (3.0, 3.0), "throughout": (1e9, 0.0)}
METHODS = ("suite", "ort-median", "mean-of-n", "litert-tool")
SUMMARY = ("median spread", "largest", "networks ≤ 3 %", "≤ 5 %", "median size of bias", "largest ")
ARTIFACTS = Path("artifacts")
RESULTS = Path("docs/trust/results")
NUMBERS = Path("docs/trust/peers.jsonl")


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """One number that one method gave in one run; `verdict` and `sweep` are the suite's."""

    scenario: str
    run: int
    method: str
    model: str
    seconds: float
    verdict: str = ""
    sweep: str = ""


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="a number (default: %(default)s)")
    parser.add_argument("--model", default="*")
    parser.add_argument("--scenario", nargs="*", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--out", type=Path, default=NUMBERS)
    parser.add_argument("--table", action="store_true", help="only print the tables of what OUT holds")
    parser.add_argument("--again", action="store_true", help="estimate the suite's numbers again from its kept rounds")
    arguments = parser.parse_args()
    if not (arguments.table or arguments.again):
        if not (RESULTS / "cpu.jsonl").exists():
            list(_suite("", 0, find(arguments.model), arguments.seconds))
        with arguments.out.open("ab") as out:
            for scenario, run in product(arguments.scenario, range(1, arguments.runs + 1)):
                for number in _measure(scenario, run, find(arguments.model), arguments.seconds):
                    out.write(msgspec.json.encode(number) + b"\n")
                    out.flush()
    lines = arguments.out.read_bytes().splitlines()
    numbers = [msgspec.json.decode(line, type=Number) for line in lines]
    print_tables(_again(numbers) if arguments.again else numbers)


def _again(numbers: Sequence[Number]) -> list[Number]:
    """The same numbers, the suite's as its present estimator and verdict make them of the same rounds."""
    found = {}
    for record in by_present_protocol(read_results(RESULTS)):
        assert record.measurement is not None and record.verdict is not None
        estimate_s, word = record.measurement.estimate.median_s, record.verdict.word
        found[record.sweep, record.model.name] = {"seconds": estimate_s, "verdict": word}
    return [msgspec.structs.replace(number, **found.get((number.sweep, number.model), {})) for number in numbers]


def by_present_protocol(records: Iterable[Record]) -> Iterator[Record]:
    """Records with a measurement, estimated and judged by the present protocol from the rounds that they keep.

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


def _measure(scenario: str, run: int, models: Sequence[Model], seconds: float) -> Iterator[Number]:
    for measure in (_suite, _bare_loops, _litert_tool):
        print(f"{time.strftime('%H:%M:%S')} {scenario}, run {run}: {measure.__name__}", file=sys.stderr, flush=True)
        with Neighbour(SCENARIOS[scenario]):
            numbers = list(measure(scenario, run, models, seconds))
        yield from numbers


def _suite(scenario: str, run: int, models: Sequence[Model], seconds: float) -> Iterator[Number]:
    (target,) = find_targets("cpu")
    # No early stop: every method takes its seconds.
    protocol = Protocol(budget_s=seconds * len(models), interval=1e-9, seed=int(time.time()))
    order = Order(target=target, models=models, protocol=protocol, results=RESULTS, artifacts=ARTIFACTS)
    for record in sweep(order):
        assert record.measurement is not None and record.verdict is not None, record.reason
        yield Number(
            scenario=scenario,
            run=run,
            method="suite",
            model=record.model.name,
            seconds=record.measurement.estimate.median_s,
            verdict=record.verdict.word,
            sweep=record.sweep,
        )


def _bare_loops(scenario: str, run: int, models: Sequence[Model], seconds: float) -> Iterator[Number]:
    (target,) = find_targets("cpu")
    for model in models:
        session = open_session(Cache(ARTIFACTS).obtain(target.job(model)), target, timeout_s=600)
        try:
            each_s = median(session.run(10).seconds[5:])
            loop = session.run(max(3, round((seconds - 10 * each_s) / each_s))).seconds
        finally:
            session.close()
        for method, statistic in (("ort-median", median), ("mean-of-n", mean)):
            yield Number(scenario=scenario, run=run, method=method, model=model.name, seconds=statistic(loop))


def _litert_tool(scenario: str, run: int, models: Sequence[Model], seconds: float) -> Iterator[Number]:
    (target,) = find_targets("cpu-tflite")
    for model in models:
        path = Cache(ARTIFACTS).obtain(target.job(model)).path
        each_s = _litert_median_s(path, runs=2)
        found_s = _litert_median_s(path, runs=max(3, round(seconds / each_s)))
        yield Number(scenario=scenario, run=run, method="litert-tool", model=model.name, seconds=found_s)


def _litert_median_s(path: str, runs: int) -> float:
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        command = [sys.executable, "-m", "ai_edge_litert.tools.benchmark_litert_model", f"--model={path}"]
        command += [f"--num_threads={usable_cores()}", f"--num_runs={runs}", f"--result_json={result.name}"]
        subprocess.run(command, capture_output=True, check=True)
        return float(json.load(result)["latency"]["median_ms"]) * 1e-3


def print_tables(numbers: Sequence[Number]) -> None:
    """Print every method's spread over the runs and its bias against its own quiet median, first in all, then a network
    and scenario.
    """
    cells: dict[tuple[str, str, str], list[Number]] = defaultdict(list)
    for number in numbers:
        cells[number.scenario, number.model, number.method].append(number)
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
    if not spreads or not biases:
        return [""] * len(SUMMARY)
    within = (f"{sum(value <= bound for value in spreads)} of {len(spreads)}" for bound in (0.03, 0.05))
    return [f"{median(spreads):.1%}", f"{max(spreads):.1%}", *within, f"{median(biases):.1%}", f"{max(biases):.1%}"]


def spread(here: Sequence[Number]) -> float | None:
    """(max - min) / median of the runs; None without any."""
    values = [number.seconds for number in here]
    return (max(values) - min(values)) / median(values) if values else None


def bias(here: Sequence[Number], quiet: Sequence[Number]) -> float | None:
    """How far the runs' median is from that of the quiet runs, relative; None without either."""
    if not here or not quiet:
        return None
    return median(number.seconds for number in here) / median(number.seconds for number in quiet) - 1


def _percent(value: float | None, sign: str = "") -> str:
    return "" if value is None else f"{value:{sign}.1%}"


if __name__ == "__main__":
    main()
