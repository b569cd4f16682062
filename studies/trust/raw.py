"""Raw visits on disk: results as sweeps leave them, plain or compressed, read whatever version wrote them.

python -m studies.trust.raw RESULTS.jsonl … --out studies/trust/data/NAME.jsonl.gz   # keep what a page quotes
"""

import argparse
import gzip
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from bench.trust.visit import Visit

# The visits of each network of one sweep, in the order of time; and those of several sweeps, by the sweep.
Sweep = Mapping[str, Sequence[Visit]]
Sweeps = dict[str, dict[str, list[Visit]]]


class _Model(msgspec.Struct):
    name: str


class _Measured(msgspec.Struct):
    visits: list[Visit] = msgspec.field(name="rounds")  # what records call them


class _Record(msgspec.Struct):
    """What every version's records have: the sweep, the network and its visits."""

    sweep: str
    model: _Model
    measurement: _Measured | None = None


def main() -> None:
    """Put the lines of result files into one compressed file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    arguments = parser.parse_args()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with gzip.GzipFile(arguments.out, "wb", mtime=0) as out:
        for path in arguments.results:
            out.write(b"".join(_lines(path)))


def read_sweeps(path: Path) -> Sweeps:
    """The sweeps of a file."""
    decoder = msgspec.json.Decoder(_Record)
    sweeps: Sweeps = {}
    for record in map(decoder.decode, _lines(path)):
        if record.measurement is not None:
            sweeps.setdefault(record.sweep, {})[record.model.name] = record.measurement.visits
    return sweeps


def thirds(visits: Mapping[str, Sequence[Visit]]) -> Sweeps:
    """One sweep as three, by time: what an estimator makes of a third of the visits each."""
    end_s = max(visit.end_s for each in visits.values() for visit in each)
    parts: Sweeps = {}
    for name, each in visits.items():
        for visit in each:
            part = min(2, int(3 * visit.at_s / end_s))
            parts.setdefault(f"third {part + 1}", {}).setdefault(name, []).append(visit)
    return parts


def _lines(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield from (gzip.decompress(content) if path.suffix == ".gz" else content).splitlines(keepends=True)


if __name__ == "__main__":
    main()
