import math
import random

import msgspec
import pytest

from bench.protocol import Protocol
from bench.records.journal import Opened
from bench.records.ledger import Ledger
from bench.records.record import Record
from tests.bench.made_up import ThisHost, a_reading, a_visit
from tests.bench.records.simulated import CPU, NETWORKS, VISITS, WORKLOADS, an_artifact


@pytest.fixture
def simulate(tmp_path, network_of):
    """A sweep on a machine that is slower by `slow`, and wanders by `wander` a visit, as logarithms; its records.

    Its results folder is `folder` within the test's own.
    """

    def make(
        seed: int,
        slow: float = 0.0,
        *,
        wander: float = 0.005,
        read: bool = True,
        threads: int = 2,
        end: bool = True,
        sustained: bool = False,
        folder: str = ".",
        **machine: str,
    ) -> list[Record]:
        chance = random.Random(seed)
        target = msgspec.structs.replace(CPU, options=CPU.options | {"threads": threads})
        ledger = Ledger(tmp_path / folder, "cpu", ThisHost(WORKLOADS, **machine))
        ledger.begin(target, Protocol(sustained=sustained))
        for name in NETWORKS:
            ledger.opened(
                Opened(network=network_of(name), artifact=an_artifact(name), ran_on={}, clock="host", warmup_s=[0.1])
            )
        now_s = clock = 0.0
        for _ in range(VISITS):
            for name, (seconds, exponent) in NETWORKS.items():
                clock += chance.gauss(0, wander)
                readings = []
                for _ in range(3 if read else 0):
                    noises = [math.exp(slow + clock + chance.gauss(0, 0.02)) for _ in range(2)]
                    readings.append(a_reading(now_s, 0.008 * noises[0], 0.006 * noises[1]))
                    now_s += 0.15
                taken_s = seconds * math.exp(exponent * (slow + clock) + chance.gauss(0, 0.004))
                visit = a_visit(taken_s, at_s=now_s - 0.4, readings=readings)
                ledger.visited(ledger.runs[name], visit)
                now_s += 0.15
        if end:
            ledger.end()
        return list(ledger.records.values())

    return make


@pytest.fixture
def network_of():
    from bench.records.network_run import network_of as of
    from models import find

    return lambda name: of(find(name)[0])
