"""Numbers beside a neighbour against those of quiet sweeps, at one condition, with what the quiet sweeps taught.

    python -m studies.trust.neighbours [QUIET BESIDE …]

As a sweep beside a neighbour is estimated in a results folder that holds the quiet sweeps: at their condition, with the
exponents that they and it say. QUIET and BESIDE are files of results; those in studies/trust/data unless given.
"""

import argparse
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from bench.protocol import Protocol
from bench.trust.fit import Earlier, fit
from bench.trust.measurement import Measurement
from bench.trust.verdict import USABLE, judge
from studies.trust.estimators import DATA, LOST_SHARE
from studies.trust.judging import measurement
from studies.trust.raw import Sweep, Sweeps, read_sweeps


def main() -> None:
    """Print a row a sweep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    default = [DATA / "amd-quiet.jsonl.gz", *sorted((DATA / "neighbour").glob("*.jsonl.gz"))]
    quiet_file, *beside_files = parser.parse_args().files or default
    earlier, quiet_s = taught(read_sweeps(quiet_file))
    print("| sweep | verdicts | bias of usable numbers, median size | largest | largest bias / its interval |")
    print("|---|---|---:|---:|---:|")
    for path in beside_files:
        for sweep in read_sweeps(path).values():
            print(f"| {path.name.partition('.')[0]} | {' | '.join(_row(_measured(sweep, earlier), quiet_s))} |")


def taught(sweeps: Sweeps) -> tuple[Earlier, dict[str, float]]:
    """What quiet sweeps leave behind for later ones, and the median of each network's numbers, in seconds."""
    first = fit(next(iter(sweeps.values())), LOST_SHARE, Earlier())
    reference_s = next(iter(first.values())).reference_s
    bases = [fit(sweep, LOST_SHARE, Earlier(reference_s=reference_s)) for sweep in sweeps.values()]
    information = {name: [basis[name].information for basis in bases if name in basis] for name in first}
    earlier = Earlier(
        reference_s=reference_s,
        information={name: [each for each in said if each is not None] for name, said in information.items()},
    )
    found = [_measured(sweep, earlier) for sweep in sweeps.values()]
    return earlier, {name: median(each[name].estimate.number_s for each in found) for name in first}


def _measured(sweep: Sweep, earlier: Earlier) -> dict[str, Measurement]:
    bases = fit(sweep, LOST_SHARE, earlier)
    return {name: measurement(visits, bases[name]) for name, visits in sweep.items()}


def _row(found: Mapping[str, Measurement], quiet_s: Mapping[str, float]) -> list[str]:
    words = {name: judge(measured, Protocol()).word for name, measured in found.items()}
    said = ", ".join(f"{count} {word}" for word, count in Counter(words.values()).most_common())
    usable = {name: measured.estimate for name, measured in found.items() if words[name] in USABLE}
    biases = {name: abs(each.number_s / quiet_s[name] - 1) for name, each in usable.items()}
    if not biases:
        return [said, "", "", ""]
    beyond = max(biases[name] / each.half_width for name, each in usable.items())
    return [said, f"{median(biases.values()):.1%}", f"{max(biases.values()):.1%}", f"{beyond:.1f}"]


if __name__ == "__main__":
    main()
