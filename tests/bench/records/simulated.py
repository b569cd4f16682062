"""What a simulated machine measures: its networks, their files and those of its reference workloads."""

import math
from collections.abc import Iterator
from random import Random

from bench.records.record import Record
from bench.trust.visit import Visit
from devices.targets import find_targets
from exporters.artifact import Artifact
from tests.bench.made_up import a_reading, a_visit

CPU = find_targets("cpu")[0]
# Seconds at the full clock, and the exponent by which each follows the compute workload.
NETWORKS = {"EfficientNet-B3": (0.05, 1.0), "EfficientNet-B5": (0.25, 0.8), "EfficientNet-B6": (0.4, 1.0)}


def an_artifact(name: str) -> Artifact:
    return Artifact(
        model=name,
        format="onnx",
        precision="fp32",
        batch=1,
        path=f"{name}.onnx",
        input_shape=(1, 3, 224, 224),
        sha256=f"{name:x<64}",
        size_bytes=1,
        weights="seeded",
        made_by={},
        fidelity=None,
    )


WORKLOADS = {name: an_artifact(name) for name in ("compute", "core_to_core")}


def simulated_visits(
    chance: Random, count: int, slow: float, wander: float, readings: int
) -> Iterator[tuple[str, Visit]]:
    """Visits of each network in turns, with its name, on a machine that is slower by `slow` and wanders by `wander`.

    Both are logarithms, the latter a visit. Each visit has so many readings of the reference workloads before it.
    """
    now_s = clock = 0.0
    for _ in range(count):
        for name, (seconds, exponent) in NETWORKS.items():
            clock += chance.gauss(0, wander)
            read = []
            for _ in range(readings):
                noises = [math.exp(slow + clock + chance.gauss(0, 0.02)) for _ in range(2)]
                read.append(a_reading(now_s, 0.008 * noises[0], 0.006 * noises[1]))
                now_s += 0.15
            taken_s = seconds * math.exp(exponent * (slow + clock) + chance.gauss(0, 0.004))
            yield name, a_visit(taken_s, at_s=now_s - 0.4, readings=read)
            now_s += 0.15


def numbers(records: list[Record]) -> list[float]:
    return [record.measurement.estimate.number_s for record in records]
