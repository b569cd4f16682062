"""Whether stopping early changes numbers: each network's number where its interval was first narrow enough, beside its
number at the end of the sweep.

    python -m studies.trust.stopping [--interval 0.03] [FILE ...]

A rule that looks at the data until they please could favour some numbers over others. Every few seconds of a sweep, the
fit is made of the visits until then, as a running sweep makes it, and a network stops where the rule of `--interval`
says so.
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, median, stdev

from bench.protocol import Protocol
from bench.trust.fit import Earlier, fit
from bench.trust.measurement import Measurement
from bench.trust.visit import Visit
from studies.trust.estimators import DATA
from studies.trust.judging import measurement
from studies.trust.raw import read_sweeps

_EVERY_S = 5.0


def main() -> None:
    """Print how the two numbers differ, for each file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="*", type=Path, help="files of results; studies/trust/data unless given")
    parser.add_argument("--interval", type=float, default=0.02, help="default: %(default)s")
    arguments = parser.parse_args()
    print("| sweeps | networks stopped early | at, median | stopped / whole - 1, mean | its standard error | largest |")
    print("|---|---:|---:|---:|---:|---:|")
    for path in arguments.results or sorted(DATA.glob("*.jsonl.gz")):
        found = [row for visits in read_sweeps(path).values() for row in stopped(visits, arguments.interval)]
        if len(found) > 1:
            changes, times_s = zip(*found, strict=True)
            error = stdev(changes) / math.sqrt(len(changes))
            name = path.name.partition(".")[0]
            largest = max(map(abs, changes))
            row = [
                name,
                len(found),
                f"{median(times_s):.0f} s",
                f"{mean(changes):+.2%}",
                f"{error:.2%}",
                f"{largest:.1%}",
            ]
            print("| " + " | ".join(map(str, row)) + " |")


def stopped(visits: Mapping[str, Sequence[Visit]], interval: float) -> list[tuple[float, float]]:
    """Of each network that stops early: its number then over its number at the end, less one, and when that was."""
    protocol = Protocol(interval=interval)
    end_s = max(visit.end_s for each in visits.values() for visit in each)
    # Both at one condition, as in every sweep but a machine's first.
    reference_s = next(iter(fit(visits, protocol.lost_share, Earlier()).values())).reference_s
    earlier = Earlier(reference_s=reference_s)
    whole = _measured(visits, math.inf, protocol, earlier)
    found: dict[str, tuple[float, float]] = {}
    at_s = _EVERY_S
    while at_s < end_s:
        for name, measured in _measured(visits, at_s, protocol, earlier).items():
            enough = len(measured.counted) >= protocol.min_visits and measured.alone.sampling <= interval
            if name not in found and enough:
                found[name] = measured.estimate.number_s / whole[name].estimate.number_s - 1, at_s
        at_s += _EVERY_S
    return list(found.values())


def _measured(
    visits: Mapping[str, Sequence[Visit]], until_s: float, protocol: Protocol, earlier: Earlier
) -> dict[str, Measurement]:
    """Every network as it stood at a time."""
    kept = {name: [visit for visit in each if visit.end_s <= until_s] for name, each in visits.items()}
    kept = {name: each for name, each in kept.items() if each}
    bases = fit(kept, protocol.lost_share, earlier)
    return {name: measurement(each, bases[name]) for name, each in kept.items()}


if __name__ == "__main__":
    main()
