"""The runtime `litert` and LiteRT's own benchmark_litert_model on the same file and threads, run alternately.

python -m studies.litert_against_peer [MODEL ...] [--threads 1 2] [--precision int8] [--pairs 10] [--runs 30]
"""

import argparse
from pathlib import Path
from statistics import median, quantiles

import msgspec

from devices.session import Session
from devices.targets import find_targets
from devices.worker import open_session
from exporters.cache import Cache
from models import find
from studies.litert_tool import tool_median_s

_WARMUPS = 5


def main() -> None:
    arguments = _arguments()
    (target,) = find_targets("cpu-tflite")
    print(f"{'network':40} {'threads':>7} {'ours ms':>10} {'peer ms':>10} {'ratio':>7} {'quartiles':>13}")
    for pattern in arguments.model:
        for model in find(pattern):
            for threads in arguments.threads:
                options = {"threads": threads}
                chosen = msgspec.structs.replace(target, precision=arguments.precision, options=options)
                artifact = Cache(arguments.artifacts).obtain(chosen.job(model))
                session = open_session(artifact, chosen, timeout_s=600.0)
                pairs = _alternately(session, artifact.path, threads, arguments)
                session.close()
                ratios = [ours_s / peer_s for ours_s, peer_s in pairs]
                low, _, high = quantiles(ratios, n=4)
                ours_s, peer_s = (median(times) for times in zip(*pairs, strict=True))
                print(
                    f"{model.name:40} {threads:7} {ours_s * 1e3:10.3f} {peer_s * 1e3:10.3f} {median(ratios):7.3f} "
                    f"{low:6.3f} {high:6.3f}",
                    flush=True,
                )


def _alternately(session: Session, path: str, threads: int, arguments: argparse.Namespace) -> list[tuple[float, float]]:
    """The medians in seconds, ours and the peer's, of every pair; the order alternates."""
    turns = [
        lambda: _ours(session, arguments.runs),
        lambda: tool_median_s(path, runs=arguments.runs, threads=threads, warmups=_WARMUPS),
    ]
    pairs = []
    for number in range(arguments.pairs):
        found = {which: turns[which]() for which in ((0, 1), (1, 0))[number % 2]}
        pairs.append((found[0], found[1]))
    return pairs


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="*", default=["*flops400M*", "*latency01ms*", "EfficientNet-B3"])
    parser.add_argument("--precision", default="fp32", choices=("fp32", "int8"))
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    return parser.parse_args()


def _ours(session: Session, runs: int) -> float:
    session.run(_WARMUPS)
    return median(session.run(runs).seconds)


if __name__ == "__main__":
    main()
