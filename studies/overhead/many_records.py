"""`python -m studies.overhead.many_records FOLDER`: 200,000 records of 200 networks on 4 targets, 250 sweeps each.

What a record holds is that of docs/example: its conditions and six visits with their samples and readings, as a sweep
of 200 networks gives each of them. Latencies, verdicts and missing numbers are made up.
"""

import argparse
import random
from pathlib import Path

import msgspec
from msgspec.structs import replace

from bench.records.record import Network, Record
from bench.records.store import read_records
from bench.trust.verdict import Verdict
from devices.host.conditions import Moment
from devices.targets import Target

EXAMPLE = Path(__file__).parents[2] / "docs" / "example" / "cpu.jsonl"
_VISITS = 6


def write(folder: Path, *, networks: int = 200, targets: int = 4, sweeps: int = 250) -> None:
    """Write a file a target; a family has ten networks, and a twentieth of the cells have no number."""
    template = _shortened(read_records(EXAMPLE)[0])
    encode, chance = msgspec.json.Encoder().encode, random.Random(1)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(targets):
        title, batch = f"Board {number}", 1 + number % 3
        target = replace(template.target, name=f"board{number:02}", title=title, options={}, batch=batch)
        cells = [encode(_cell(template, _network(at), target, chance)) for at in range(networks)]
        time = encode(template.conditions.end.time)
        with (folder / f"{target.name}.jsonl").open("wb") as file:
            for sweep in range(sweeps):
                now = encode(f"2026-{1 + sweep // 24:02}-{1 + sweep % 24:02}T00:00:00Z")
                file.writelines(cell.replace(time, now) + b"\n" for cell in cells)


def _shortened(record: Record) -> Record:
    """A record with its first visits only."""
    measurement, basis = record.measurement, record.measurement.basis
    basis = replace(basis, conditions=basis.conditions[:_VISITS])
    end = Moment(time="2026-01-01T00:00:00Z")
    conditions = replace(record.conditions, end=end)
    return replace(
        record,
        conditions=conditions,
        measurement=replace(measurement, visits=measurement.visits[:_VISITS], basis=basis),
    )


def _network(at: int) -> Network:
    family = f"Family {at // 10}"
    return Network(
        name=f"family{at // 10}-size{at % 10}",
        family=family,
        resolution_px=224,
        source="timm:any",
        params=10_000_000 + at,
        macs=1_000_000_000 + at,
        top1_percent=70 + (at % 10) + (at // 10) / 10,
    )


def _cell(template: Record, network: Network, target: Target, chance: random.Random) -> Record:
    if chance.random() < 0.05:
        return replace(template, model=network, target=target, measurement=None, verdict=None, reason="out of memory")
    middle_s = 0.002 * (network.top1_percent - 65) ** 1.5 * chance.uniform(0.9, 1.1)
    visits = [
        replace(
            visit,
            samples=replace(
                visit.samples, seconds=[middle_s * chance.uniform(0.99, 1.01) for _ in visit.samples.seconds]
            ),
        )
        for visit in template.measurement.visits
    ]
    verdict = Verdict(word="stable" if chance.random() < 0.9 else "drifting", detail="±1 % across visits")
    measurement = replace(template.measurement, visits=visits)
    return replace(template, model=network, target=target, measurement=measurement, verdict=verdict)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--targets", type=int, default=4)
    parser.add_argument("--sweeps", type=int, default=250)
    arguments = parser.parse_args()
    write(arguments.folder, networks=arguments.networks, targets=arguments.targets, sweeps=arguments.sweeps)
