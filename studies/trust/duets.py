"""How often a duet finds a slowdown that was planted, and one that is not there.

    python -m studies.trust.duets [FILE ...]                                 # the table, of studies/trust/data/duets
    python -m studies.trust.duets --repeat 20 [--slowdown 0.03] [--model GLOB …] [--budget 60]   # measure first

Both sides of every duet run the same file on the target `cpu`; the new one stops for the given share of each inference
(`planted_slowdown`), 0 unless given. Duets are measured one after the other into studies/trust/results; with --out they
are kept, compressed.
"""

import argparse
import gzip
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from statistics import median

import msgspec

from bench.duet.against import Against
from bench.duet.duet import play
from bench.duet.outcome import outcome_of
from bench.duet.record import Duet
from bench.duet.request import DuetRequest
from bench.duet.settings import DuetSettings
from devices.targets import Target, find_targets
from models import find
from models.groups import DEFAULT
from studies.trust.numbers import RESULTS

DATA = Path(__file__).parent / "data" / "duets"
_HEADS = (
    *("planted", "duets", "networks", "seconds of sampling", "found", "slower", "faster"),
    *("duets with any", "all together", "new/old of all", "untested"),
)
_decoder = msgspec.json.Decoder(Duet)


def main() -> None:
    """Measure where asked, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help="what to read (default: all of studies/trust/data/duets)")
    parser.add_argument("--repeat", type=int, default=0, help="duets to measure first (default: none)")
    parser.add_argument("--slowdown", type=float, default=0.0, help="share of an inference (default: %(default)s)")
    parser.add_argument("--model", nargs="+", default=[DEFAULT], help="globs of networks (default: %(default)s)")
    parser.add_argument("--budget", type=float, default=DuetSettings().budget_s, help="seconds (default: %(default)s)")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--out", type=Path, help="where to keep what was measured, NAME.jsonl.gz")
    arguments = parser.parse_args()
    if not arguments.repeat:
        return print_table(_kept(arguments.files or sorted(DATA.glob("*.jsonl.gz"))))
    measured = []
    for number in range(1, arguments.repeat + 1):
        print(f"{time.strftime('%H:%M:%S')} duet {number} of {arguments.repeat}", file=sys.stderr, flush=True)
        measured += play(_request(arguments, seed=number))
        if arguments.out:
            _keep(measured, arguments.out)
    return print_table(measured)


def print_table(duets: Iterable[Duet]) -> None:
    """Print what the duets of each planted slowdown and set of networks found."""
    by_kind: dict[tuple[float, int, float], list[list[Duet]]] = {}
    for _, group in groupby(duets, key=lambda duet: duet.duet):
        networks = list(group)
        kind = (_planted(networks[0]), len(networks), networks[0].settings.budget_s)
        by_kind.setdefault(kind, []).append(networks)
    print(f"| {' | '.join(_HEADS)} |\n|{'---|' * len(_HEADS)}")
    for (planted, count, _), found in sorted(by_kind.items()):
        print(f"| {planted:.0%} | {len(found)} | {count} | {' | '.join(_row(found))} |")


def _row(found: Sequence[Sequence[Duet]]) -> list[str]:
    said = [outcome_of(networks, None) for networks in found]
    outcomes = [each.networks for each in said]
    together = [each.together for each in said if each.together]
    different = [[each for each in networks if each.different and each.estimate] for networks in outcomes]
    spent_s = median(sum(turn.took_s for duet in networks for turn in duet.turns) for networks in found)
    slower = [sum(each.estimate.ratio > 1 for each in networks if each.estimate) for networks in different]
    faster = [len(networks) - count for networks, count in zip(different, slower, strict=True)]
    tested = [sum(each.estimate is not None for each in networks) for networks in outcomes]
    return [
        f"{spent_s:.0f}",
        f"{sum(map(len, different))} of {sum(tested)}",
        _counts(slower),
        _counts(faster),
        f"{sum(each.outcome == 'different' for each in said)} of {len(found)}",
        f"{sum(each.different for each in together)} of {len(together)}",
        _range([each.estimate.ratio for each in together]),
        str(sum(map(len, outcomes)) - sum(tested)),
    ]


def _counts(numbers: Sequence[int]) -> str:
    """One number, or the least and the most of a duet."""
    return str(numbers[0]) if len(set(numbers)) == 1 else f"{min(numbers)} to {max(numbers)}"


def _range(ratios: Sequence[float]) -> str:
    return f"{min(ratios):.3f} to {max(ratios):.3f}" if ratios else ""


def _planted(duet: Duet) -> float:
    return float(duet.new.target.options.get("planted_slowdown", 0.0))


def _request(arguments: argparse.Namespace, seed: int) -> DuetRequest:
    (old,) = find_targets("cpu")
    return DuetRequest(
        new=_slowed(old, arguments.slowdown),
        old=old,
        against=Against(),
        said=["the same file"],
        models=[model for glob in arguments.model for model in find(glob)],
        settings=DuetSettings(budget_s=arguments.budget, seed=seed),
        results=RESULTS,
        artifacts=arguments.artifacts,
    )


def _slowed(target: Target, share: float) -> Target:
    return msgspec.structs.replace(target, options=target.options | {"planted_slowdown": share})


def _keep(duets: Sequence[Duet], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with gzip.GzipFile(out, "wb", mtime=0) as lines:
        lines.write(b"".join(msgspec.json.encode(duet) + b"\n" for duet in duets))


def _kept(files: Sequence[Path]) -> Iterator[Duet]:
    for path in files:
        yield from map(_decoder.decode, gzip.decompress(path.read_bytes()).splitlines())


if __name__ == "__main__":
    main()
