"""How far repeated runs of one measurement lie apart: this suite's and three plain loops of its peers, interleaved.

    python -m studies.trust.peers [--runs 5] [--seconds 5] [--model GLOB] [--scenario quiet half throughout]

Each run measures every network by each method with the same seconds a number; a run's methods follow each other, so
that all see the same hours of the host. A neighbour that keeps every core busy is off, on half of the time (three
seconds on, three off), or on throughout. Every number is appended to OUT as it comes; the tables are printed from OUT.
Those of docs/trust.md: --table --out studies/trust/data/amd-peers.jsonl. The suite's records lie in
studies/trust/results.

Methods: `suite`, this suite's estimate; `ort-median`, the median of a bare ONNX Runtime loop after ten warm-ups;
`mean-of-n`, the mean of the same loop, as timm's benchmark takes it; `litert-tool`, the median of ai_edge_litert's
benchmark_litert_model.
"""

import argparse
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from statistics import mean, median

import msgspec

from bench.protocol import Protocol
from bench.records.known_machines import FOLDER_VARIABLE
from bench.sweep import SweepRequest, sweep
from devices.targets import find_targets
from devices.worker import open_session
from exporters.cache import Cache
from models import Model, find
from models.groups import DEFAULT
from studies.litert_tool import tool_median_s
from studies.trust.neighbour import Neighbour
from studies.trust.numbers import NUMBERS, RESULTS, Number, read_numbers
from studies.trust.tables import print_tables
from system.machine import usable_cores

SCENARIOS = {"quiet": None, "half": (3.0, 3.0), "throughout": (1e9, 0.0)}
ARTIFACTS = Path("artifacts")


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="a number (default: %(default)s)")
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--scenario", nargs="*", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--out", type=Path, default=NUMBERS, help="default: %(default)s")
    parser.add_argument("--table", action="store_true", help="only print the tables of what OUT holds")
    arguments = parser.parse_args()
    if not arguments.table:
        # Sweeps beside a neighbour are none that the user's own should learn from, nor these from those.
        os.environ[FOLDER_VARIABLE] = str(RESULTS / "machines")
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        with arguments.out.open("ab") as out:
            for scenario, run in product(arguments.scenario, range(1, arguments.runs + 1)):
                for number in _measure(scenario, run, find(arguments.model), arguments.seconds):
                    out.write(msgspec.json.encode(number) + b"\n")
                    out.flush()
    print_tables(read_numbers(arguments.out))


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
    # One folder for all scenarios, as on a user's machine: later sweeps learn from earlier ones.
    request = SweepRequest(target=target, models=models, protocol=protocol, results=RESULTS, artifacts=ARTIFACTS)
    for record in sweep(request):
        assert record.measurement is not None and record.verdict is not None, record.reason
        yield Number(
            scenario=scenario,
            run=run,
            method="suite",
            model=record.model.name,
            seconds=record.measurement.estimate.number_s,
            verdict=record.verdict.word,
            interval=None if math.isinf(width := record.measurement.estimate.half_width) else width,
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
        each_s = tool_median_s(path, runs=2, threads=usable_cores())
        found_s = tool_median_s(path, runs=max(3, round(seconds / each_s)), threads=usable_cores())
        yield Number(scenario=scenario, run=run, method="litert-tool", model=model.name, seconds=found_s)


if __name__ == "__main__":
    main()
