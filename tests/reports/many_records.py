"""`python tests/reports/many_records.py FOLDER`: the results of 200 networks on 20 targets, 50 runs each, made up."""

import random
import sys
from pathlib import Path

import msgspec
from msgspec.structs import replace

from bench.protocol import Protocol
from bench.records.record import Network, Record
from bench.sweep import SweepRequest, sweep
from bench.trust.verdict import Verdict
from devices.host.conditions import Moment
from devices.samples import Samples
from devices.targets import Target, find_targets
from models.zoo import zoo


def write(folder: Path, networks: int = 200, targets: int = 20, runs: int = 50) -> None:
    """Write a file a target; a family has ten networks, and a twentieth of the cells have no number."""
    (fake,) = find_targets("fake")
    order = SweepRequest(
        target=fake,
        models=[zoo()["EfficientNet-B3"]],
        protocol=Protocol(),
        results=folder / "template",
        artifacts=folder / "artifacts",
    )
    (template,) = sweep(order)
    encode, chance = msgspec.json.Encoder().encode, random.Random(1)
    for number in range(targets):
        target = replace(fake, name=f"board{number:02}", title=f"Board {number}", options={}, batch=1 + number % 3)
        cells = [_cell(template, _network(at), target, chance) for at in range(networks)]
        with (folder / f"{target.name}.jsonl").open("wb") as file:
            for run in range(runs):
                time = f"2026-01-{1 + run % 28:02}T{run:02}:00:00Z"
                for record in cells:
                    conditions = replace(record.conditions, end=Moment(time=time))
                    file.write(encode(replace(record, conditions=conditions)) + b"\n")


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
        replace(part, samples=Samples(seconds=[middle_s * chance.uniform(0.99, 1.01) for _ in range(5)]))
        for part in template.measurement.visits
    ]
    verdict = Verdict(word="stable" if chance.random() < 0.9 else "drifting", detail="±1 % across visits")
    measurement = replace(template.measurement, visits=visits)
    return replace(template, model=network, target=target, measurement=measurement, verdict=verdict)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
