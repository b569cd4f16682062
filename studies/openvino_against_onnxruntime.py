"""OpenVINO beside ONNX Runtime on this CPU, FP32 and INT8: a duet of each pair of targets, network by network.

python -m studies.openvino_against_onnxruntime                                  # the zoo, on an otherwise idle machine
python -m studies.openvino_against_onnxruntime --model '*latency01ms*' --budget 20 --only openvino
python -m studies.openvino_against_onnxruntime --print                          # what was measured before

Both sides load the same ONNX file, with as many threads, in processes of their own, and are visited in turns; the ratio
is OpenVINO's time over ONNX Runtime's, so below 1 OpenVINO is faster. Whether a ratio differs from 1 is by Student's t
on log ratios of adjacent visits, with Holm's correction over the networks of a pair.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.duet.against import Against
from bench.duet.duet import play
from bench.duet.outcome import NetworkOutcome, Outcome, outcome_of
from bench.duet.record import Duet, read_duets
from bench.duet.request import DuetRequest
from bench.duet.settings import DuetSettings
from devices.targets import find_targets
from models import find
from system.command_line import run
from system.errors import UserError

# OpenVINO's targets, each with the target of ONNX Runtime that loads the same file.
PAIRS = {"openvino": "cpu", "openvino-int8": "cpu-int8"}
_HEADS = ("network", "ONNX Runtime, ms", "OpenVINO, ms", "ratio", "95 % interval", "faster")


def main() -> int:
    """Measure unless told not to, and print a table for each pair; exit 0. Raises UserError where there is no duet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="+", default=["@published"], help="names, globs or groups")
    parser.add_argument("--only", nargs="+", choices=PAIRS, default=list(PAIRS), help="which of OpenVINO's targets")
    parser.add_argument(
        "--budget", type=float, default=300.0, help="seconds of sampling of a pair (default: %(default)g)"
    )
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--results", type=Path, default=Path("results"), help="records go to its folder duets/")
    parser.add_argument("--print", action="store_true", help="measure nothing")
    arguments = parser.parse_args()
    for name in arguments.only:
        if not arguments.print:
            play(_request(name, arguments))
        file = arguments.results / "duets" / f"{name}.jsonl"
        duets = read_duets(file)
        if not duets:
            raise UserError(f"no duet of {name}", found=f"nothing in {file}", fix="measure one: leave --print out")
        print(f"\n{name} against {PAIRS[name]}:\n")
        print("\n".join(table(outcome_of(_last(duets), None))))
        sys.stdout.flush()
    return 0


def table(outcome: Outcome) -> Iterator[str]:
    """The lines of a Markdown table of what a duet found, and of what it comes to."""
    yield f"| {' | '.join(_HEADS)} |"
    yield f"|---|{'---:|' * 4}---|"
    for found in outcome.networks:
        yield f"| {' | '.join(_row(found))} |"
    if every := outcome.together:
        interval = f"{every.estimate.low:.3f} to {every.estimate.high:.3f}"
        yield f"| geometric mean | | | {every.estimate.ratio:.3f} | {interval} | |"
    wins = [found.model for found in outcome.networks if _faster(found) == "OpenVINO"]
    yield ""
    tested = sum(found.estimate is not None for found in outcome.networks)
    yield f"OpenVINO is faster on {len(wins)} of {tested} networks that have an interval: {', '.join(wins) or 'none'}."


def _row(found: NetworkOutcome) -> list[str]:
    times = ["" if seconds is None else f"{seconds * 1e3:.2f}" for seconds in (found.old_s, found.new_s)]
    if found.estimate is None:
        return [found.model, *times, "", "", found.change]
    interval = f"{found.estimate.low:.3f} to {found.estimate.high:.3f}"
    return [found.model, *times, f"{found.estimate.ratio:.3f}", interval, _faster(found)]


def _faster(found: NetworkOutcome) -> str:
    if found.estimate is None or not found.different:
        return "can't be told apart"
    return "OpenVINO" if found.estimate.ratio < 1 else "ONNX Runtime"


def _request(name: str, arguments: argparse.Namespace) -> DuetRequest:
    (new,), (old,) = find_targets(name), find_targets(PAIRS[name])
    return DuetRequest(
        new=new,
        old=old,
        against=Against(target=old.name),
        said=[f"target:{old.name}"],
        models=[model for pattern in arguments.model for model in find(pattern)],
        settings=DuetSettings(budget_s=arguments.budget),
        results=arguments.results,
        artifacts=arguments.artifacts,
    )


def _last(duets: Sequence[Duet]) -> list[Duet]:
    """The records of the newest of several duets, at least one."""
    return [duet for duet in duets if duet.duet == duets[-1].duet]


if __name__ == "__main__":
    run(main)
