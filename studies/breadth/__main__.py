"""How many of 40 networks of timm export, agree with torch and run on each target, and why the others don't.

python -m studies.breadth [--network NAME ...] [--target NAME ...] [--again] [--minutes 15] [--memory-gb 12]
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from devices.targets import Target, find_targets
from studies.breadth.attempts import TARGETS, Attempt, append, read_attempts, read_networks, untried
from studies.breadth.page import page
from studies.breadth.rounding import read_rounding
from studies.breadth.trial import Limits, trials
from system.errors import UserError

_DATA = Path(__file__).with_name("data") / "attempts.jsonl"
_PAGE = Path(__file__).parents[2] / "docs" / "breadth.md"


def main() -> None:
    arguments = _arguments()
    networks = read_networks()
    chosen = [each for each in networks if not arguments.network or each.name in arguments.network]
    targets = {name: target for name in arguments.target for target in _known(name)}
    attempts = read_attempts(_DATA)
    standing = [attempt for attempt in attempts if attempt.failed_at is None] if arguments.again else attempts
    limits = Limits(seconds=arguments.minutes * 60, bytes=int(arguments.memory_gb * 1e9))
    left = untried(chosen, targets, standing)
    for number, (network, wanted) in enumerate(left.items(), start=1):
        arguments.artifacts.mkdir(parents=True, exist_ok=True)
        root = Path(tempfile.mkdtemp(dir=arguments.artifacts, prefix=f"{network.name}-"))
        try:
            for attempt in trials(network, [targets[name] for name in wanted], root, limits):
                append(_DATA, attempt)
                print(f"[{number}/{len(left)}] {_line(attempt)}", file=sys.stderr, flush=True)
        finally:
            shutil.rmtree(root)
    _PAGE.write_text(page(networks, read_attempts(_DATA), read_rounding()), encoding="utf-8")


def _known(name: str) -> list[Target]:
    """The target of that name; none where this version of the suite has none."""
    try:
        return find_targets(name)
    except UserError as error:
        print(f"left out: {error}", file=sys.stderr)
        return []


def _line(attempt: Attempt) -> str:
    outcome = "timed" if attempt.failed_at is None else f"{attempt.failed_at} failed: {attempt.reason}"
    return f"{attempt.network} on {attempt.target}: {outcome}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", nargs="+", help="of the list; all unless given")
    parser.add_argument("--target", nargs="+", default=TARGETS)
    parser.add_argument("--again", action="store_true", help="try what failed once more")
    parser.add_argument("--minutes", type=float, default=15, help="for one network on one target")
    parser.add_argument("--memory-gb", type=float, default=12, help="for one network on one target")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts") / "breadth", help="emptied as it goes")
    return parser.parse_args()


if __name__ == "__main__":
    main()
