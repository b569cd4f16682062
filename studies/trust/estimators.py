"""Which estimator agrees with itself: of several sweeps of the same networks, how far the estimates lie apart.

    python -m studies.trust.estimators                    # the tables of docs/trust.md, from studies/trust/data
    python -m studies.trust.estimators results/cpu.jsonl  # of your own sweeps

For each: the spread (max - min) / median over the sweeps, of the median network and of the largest; how often the
stated 95 % interval of one sweep holds a later sweep's number; and half of that interval, relative. Every sweep is
judged with what the others say of the run-to-run error, never with what it says itself. "nothing of its own": its
exponents are those that the other sweeps say, too.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from itertools import takewhile
from pathlib import Path
from statistics import median

import msgspec

from bench.protocol import Protocol
from bench.trust.basis import Basis
from bench.trust.exponents import learn
from bench.trust.fit import Earlier, fit
from bench.trust.visit import Visit
from studies.trust.judging import Estimates, coverage, measurement, spreads
from studies.trust.raw import Sweeps, read_sweeps, thirds

DATA = Path(__file__).with_name("data")
LOST_SHARE = Protocol().lost_share

# From all sweeps and one of them to the measurement of each of its networks.
Estimator = Callable[[Sweeps, str], Estimates]


def main() -> None:
    """Print a table of every data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="*", type=Path, help="files of results; studies/trust/data unless given")
    parser.add_argument("--thirds", action="store_true", help="take one sweep as three, by time")
    arguments = parser.parse_args()
    for path in arguments.results or sorted(DATA.glob("*.jsonl.gz")):
        sweeps = read_sweeps(path)
        if arguments.thirds or len(sweeps) == 1:
            sweeps = thirds(next(iter(sweeps.values())))
        print(
            f"\n### {path.name.partition('.')[0]}: {len(sweeps)} sweeps, {_visits_a_network(sweeps)} visits a network"
        )
        print_table(sweeps)


def print_table(sweeps: Sweeps) -> None:
    """One row an estimator."""
    print("\n| estimator | spread, median network | largest | holds another sweep | half of the interval, median |")
    print("|---|---:|---:|---:|---:|")
    for name, estimator in ESTIMATORS.items():
        found = {sweep: estimator(sweeps, sweep) for sweep in sweeps}
        apart = spreads(found)
        held, pairs, widths = coverage(found)
        share = f"{held} of {pairs} ({held / pairs:.0%})" if pairs else ""
        width = f"±{median(widths):.1%}" if widths else ""
        print(f"| {name} | {median(apart):.1%} | {max(apart):.1%} | {share} | {width} |")


def _plain(sweeps: Sweeps, sweep: str) -> Estimates:
    """The median of all samples, disturbed or not."""
    return {
        name: measurement([_of_seconds(visits)], Basis(lost_share=math.inf)) for name, visits in sweeps[sweep].items()
    }


def _of_seconds(visits: Sequence[Visit]) -> Visit:
    """One visit of all samples."""
    seconds = [second for visit in visits for second in visit.samples.seconds]
    return msgspec.structs.replace(
        visits[0], samples=msgspec.structs.replace(visits[0].samples, seconds=seconds, evidence={})
    )


def _fastest(sweeps: Sweeps, sweep: str) -> Estimates:
    """The fastest sample."""
    found = {}
    for name, visits in sweeps[sweep].items():
        fastest = min(second for visit in visits for second in visit.samples.seconds)
        samples = msgspec.structs.replace(visits[0].samples, seconds=[fastest], evidence={})
        found[name] = measurement([msgspec.structs.replace(visits[0], samples=samples)], Basis(lost_share=math.inf))
    return found


def _interleaved(sweeps: Sweeps, sweep: str) -> Estimates:
    """The visits that count, uncorrected: what interleaving and the system's counters give alone."""
    basis = Basis(lost_share=LOST_SHARE)
    return {name: measurement(visits, basis) for name, visits in sweeps[sweep].items()}


def _prior_alone(sweeps: Sweeps, sweep: str) -> Estimates:
    """Corrected by the exponents' prior, learnt from nothing."""
    return _corrected(sweeps, sweep, own=False, others=[])


def _others_alone(sweeps: Sweeps, sweep: str) -> Estimates:
    """Corrected by what the other sweeps say, nothing of its own."""
    return _corrected(sweeps, sweep, own=False, others=_others(sweeps, sweep))


def _suite(sweeps: Sweeps, sweep: str) -> Estimates:
    """The suite's: corrected by what this and the other sweeps say."""
    return _corrected(sweeps, sweep, own=True, others=_others(sweeps, sweep))


def _first_sweep(sweeps: Sweeps, sweep: str) -> Estimates:
    """The suite's in a first sweep: corrected by what this sweep alone says."""
    return _corrected(sweeps, sweep, own=True, others=[])


def _as_measured(sweeps: Sweeps, sweep: str) -> Estimates:
    """The suite's as it said then: corrected by what this sweep and those before it say."""
    return _corrected(sweeps, sweep, own=True, others=list(takewhile(lambda other: other != sweep, sweeps)))


def _others(sweeps: Sweeps, sweep: str) -> list[str]:
    return [other for other in sweeps if other != sweep]


def _corrected(sweeps: Sweeps, sweep: str, *, own: bool, others: Sequence[str]) -> Estimates:
    reference_s = _bases(sweeps, next(iter(sweeps)), {})[1]
    bases, _ = _bases(sweeps, sweep, reference_s)
    said = [_bases(sweeps, other, reference_s)[0] for other in others]
    found = {}
    for name, visits in sweeps[sweep].items():
        basis = bases[name]
        information = [each[name].information for each in said if name in each and each[name].information]
        information += [basis.information] if own and basis.information else []
        exponents, _ = learn([], [], [each for each in information if each is not None])
        found[name] = measurement(visits, msgspec.structs.replace(basis, exponents=exponents))
    return found


# By sweeps and one of them: its bases and their condition. The sweeps are kept too, since the id of a dict that is gone
# may become another's.
_known: dict[tuple[int, str, bool], tuple[Sweeps, dict[str, Basis], dict[str, float]]] = {}


def _bases(sweeps: Sweeps, sweep: str, reference_s: dict[str, float]) -> tuple[dict[str, Basis], dict[str, float]]:
    """The bases of a sweep by its own visits alone, at the first sweep's condition, and that condition."""
    key = (id(sweeps), sweep, bool(reference_s))
    if key not in _known:
        bases = fit(sweeps[sweep], LOST_SHARE, Earlier(reference_s=reference_s))
        _known[key] = sweeps, bases, next(iter(bases.values())).reference_s
    return _known[key][1:]


def _visits_a_network(sweeps: Sweeps) -> str:
    counts = sorted(len(visits) for sweep in sweeps.values() for visits in sweep.values())
    return f"{counts[0]} to {counts[-1]}"


ESTIMATORS: dict[str, Estimator] = {
    "median of all samples": _plain,
    "fastest sample": _fastest,
    "the visits that count (interleaving alone)": _interleaved,
    "… corrected by the prior alone": _prior_alone,
    "… by what the other sweeps say, nothing of its own": _others_alone,
    "… by what this sweep says (the suite's first sweep)": _first_sweep,
    "… by what this sweep and those before it say (the suite's, as measured)": _as_measured,
    "… by what this and the other sweeps say (the suite's, estimated again)": _suite,
}


if __name__ == "__main__":
    main()
