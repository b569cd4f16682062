"""How far repeated runs of one measurement lie apart: this suite's and three plain loops of its peers, interleaved.

    python docs/trust/peers.py [--runs 5] [--seconds 5] [--model GLOB] [--scenario quiet half throughout]

Each run measures every network by each method with the same seconds a number; a run's methods follow each other, so
that all see the same hours of the host. A neighbour that keeps every core busy is off, on half of the time (three
seconds on, three off), or on throughout. Every number is appended to OUT as it comes; the table is printed from OUT.

Methods: `suite`, this suite's estimate; `ort-median`, the median of a bare ONNX Runtime loop; `mean-of-n`, ten warm-ups
and the mean, as timm's benchmark takes it; `litert-tool`, the median of ai_edge_litert's benchmark_litert_model.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, median

import msgspec

from bench.neighbour import Neighbour
from bench.protocol import Protocol
from bench.sweep import Order, sweep
from devices.targets import Target, find_targets
from devices.worker import open_session
from exporters.cache import Cache
from exporters.machine import usable_cores
from models import Model, find

SCENARIOS = {"quiet": None, "half": (3.0, 3.0), "throughout": (1e9, 0.0)}
ARTIFACTS = Path("artifacts")


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """One number that one method gave in one run; `verdict` is the suite's."""

    scenario: str
    run: int
    method: str
    model: str
    seconds: float
    verdict: str = ""


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="a number (default: %(default)s)")
    parser.add_argument("--model", default="*")
    parser.add_argument("--scenario", nargs="*", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--method", nargs="*", choices=_METHODS, default=list(_METHODS))
    parser.add_argument("--out", type=Path, default=Path("docs/trust/peers.jsonl"))
    parser.add_argument("--table", action="store_true", help="only print the table of what OUT holds")
    arguments = parser.parse_args()
    if not arguments.table:
        with arguments.out.open("ab") as out:
            for scenario in arguments.scenario:
                for run in range(1, arguments.runs + 1):
                    for method in arguments.method:
                        for number in _measure(scenario, run, method, find(arguments.model), arguments.seconds):
                            out.write(msgspec.json.encode(number) + b"\n")
                            out.flush()
    lines = arguments.out.read_bytes().splitlines()
    print_table([msgspec.json.decode(line, type=Number) for line in lines])


def _measure(scenario: str, run: int, method: str, models: Sequence[Model], seconds: float) -> list[Number]:
    print(f"{scenario} run {run}: {method}", file=sys.stderr, flush=True)
    with Neighbour(SCENARIOS[scenario]):
        found = _METHODS[method](models, seconds)
    return [
        Number(scenario=scenario, run=run, method=method, model=model.name, seconds=value, verdict=verdict)
        for model, (value, verdict) in zip(models, found, strict=True)
    ]


def _suite(models: Sequence[Model], seconds: float) -> list[tuple[float, str]]:
    (target,) = find_targets("cpu")
    # No early stop: every method takes its seconds.
    protocol = Protocol(budget_s=seconds * len(models), interval=1e-9, seed=int(time.time()))
    results = Path("docs/trust/results")
    records = sweep(Order(target=target, models=models, protocol=protocol, results=results, artifacts=ARTIFACTS))
    found = []
    for record in records:
        assert record.measurement is not None and record.verdict is not None, record.reason
        found.append((record.measurement.estimate.median_s, record.verdict.word))
    return found


def _bare_loop(
    models: Sequence[Model], seconds: float, statistic: Callable[[list[float]], float]
) -> list[tuple[float, str]]:
    (target,) = find_targets("cpu")
    return [(statistic(_loop(target, model, seconds)), "") for model in models]


def _loop(target: Target, model: Model, seconds: float) -> list[float]:
    session = open_session(Cache(ARTIFACTS).obtain(target.job(model)), target, timeout_s=600)
    try:
        each = median(session.run(10).seconds[5:])
        return session.run(max(3, round((seconds - 10 * each) / each))).seconds
    finally:
        session.close()


def _litert_tool(models: Sequence[Model], seconds: float) -> list[tuple[float, str]]:
    (target,) = find_targets("cpu-tflite")
    found = []
    for model in models:
        path = Cache(ARTIFACTS).obtain(target.job(model)).path
        each_s = _litert_median_s(path, runs=5)
        found.append((_litert_median_s(path, runs=max(3, round(seconds / each_s))), ""))
    return found


def _litert_median_s(path: str, runs: int) -> float:
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        command = [sys.executable, "-m", "ai_edge_litert.tools.benchmark_litert_model", f"--model={path}"]
        command += [f"--num_threads={usable_cores()}", f"--num_runs={runs}", f"--result_json={result.name}"]
        subprocess.run(command, capture_output=True, check=True)
        return float(json.load(result)["latency"]["median_ms"]) * 1e-3


_METHODS: dict[str, Callable[[Sequence[Model], float], list[tuple[float, str]]]] = {
    "suite": _suite,
    "ort-median": lambda models, seconds: _bare_loop(models, seconds, median),
    "mean-of-n": lambda models, seconds: _bare_loop(models, seconds, mean),
    "litert-tool": _litert_tool,
}


def print_table(numbers: Sequence[Number]) -> None:
    """Print, a network and scenario, every method's spread over the runs and its bias against its own quiet median."""
    cells: dict[tuple[str, str, str], list[Number]] = defaultdict(list)
    for number in numbers:
        cells[number.scenario, number.model, number.method].append(number)
    methods = [method for method in _METHODS if any(number.method == method for number in numbers)]
    heads = [f"{method} {what}" for method in methods for what in ("spread", "bias")]
    print("| scenario | model | " + " | ".join(heads) + " | suite says |")
    print("|---|---|" + "---|" * (len(heads) + 1))
    for scenario, model in dict.fromkeys((number.scenario, number.model) for number in numbers):
        row = []
        for method in methods:
            row += _spread_and_bias(cells[scenario, model, method], cells["quiet", model, method])
        verdicts = [number.verdict for number in cells[scenario, model, "suite"]]
        said = ", ".join(f"{verdicts.count(word)} {word}" for word in dict.fromkeys(verdicts))
        print(f"| {scenario} | {model} | " + " | ".join(row) + f" | {said} |")


def _spread_and_bias(here: Sequence[Number], quiet: Sequence[Number]) -> list[str]:
    if not here:
        return ["", ""]
    values = [number.seconds for number in here]
    spread = (max(values) - min(values)) / median(values)
    bias = median(values) / median(number.seconds for number in quiet) - 1 if quiet else None
    return [f"{spread:.1%}", "" if bias is None else f"{bias:+.1%}"]


if __name__ == "__main__":
    main()
