"""Our runtime `litert` beside LiteRT's own benchmark_litert_model: same file, same threads, in turn in one run.

python benchmarks/litert_against_peer.py [MODEL] [--precision int8] [--rounds 10] [--runs 30]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from devices.session import Session
from devices.targets import find_targets
from devices.worker import open_session
from exporters.cache import Cache
from models import find

_WARMUP = 5


def main() -> None:
    arguments = _arguments()
    (model,) = find(arguments.model)
    (target,) = find_targets("cpu-tflite")
    options = {"threads": arguments.threads}
    target = msgspec.structs.replace(target, precision=arguments.precision, options=options)
    artifact = Cache(arguments.artifacts).obtain(target.job(model))
    session = open_session(artifact, target, timeout_s=600.0)
    ratios = []
    print(f"{'ours ms':>10} {'peer ms':>10} {'ratio':>7}")
    for number in range(arguments.rounds):
        turns = [
            lambda: _ours(session, arguments.runs),
            lambda: _peer(artifact.path, arguments.runs, arguments.threads),
        ]
        order = (0, 1) if number % 2 == 0 else (1, 0)  # whoever goes first, goes second next time
        found = {which: turns[which]() for which in order}
        ratios.append(found[0] / found[1])
        print(f"{found[0] * 1e3:10.3f} {found[1] * 1e3:10.3f} {ratios[-1]:7.3f}", flush=True)
    session.close()
    low, _, high = quantiles(ratios, n=4)
    print(f"ours / peer: median {median(ratios):.3f} of {len(ratios)} rounds, quartiles {low:.3f} and {high:.3f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="zennet_imagenet1k_flops400M_SE_res224")
    parser.add_argument("--precision", default="fp32", choices=("fp32", "int8"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    return parser.parse_args()


def _ours(session: Session, runs: int) -> float:
    session.run(_WARMUP)
    return median(session.run(runs).seconds)


def _peer(path: str, runs: int, threads: int) -> float:
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run(
            [
                *(sys.executable, "-m", "ai_edge_litert.tools.benchmark_litert_model", f"--model={path}"),
                *(f"--num_runs={runs}", f"--num_threads={threads}", f"--warmup_runs={_WARMUP}"),
                f"--result_json={file.name}",
            ],
            check=True,
            capture_output=True,
        )
        return float(json.load(file)["latency"]["median_ms"]) / 1e3


if __name__ == "__main__":
    main()
