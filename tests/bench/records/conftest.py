from random import Random

import msgspec
import pytest

from bench.protocol import Protocol
from bench.records.journal import Opened
from bench.records.ledger import Ledger
from bench.records.record import Record
from tests.bench.made_up import ThisHost
from tests.bench.records.simulated import CPU, NETWORKS, WORKLOADS, an_artifact, simulated_visits


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
        visits: int = 24,
        folder: str = ".",
        **machine: str,
    ) -> list[Record]:
        target = msgspec.structs.replace(CPU, options=CPU.options | {"threads": threads})
        ledger = Ledger(tmp_path / folder, "cpu", ThisHost(WORKLOADS, **machine))
        ledger.begin(target, Protocol(sustained=sustained))
        for name in NETWORKS:
            ledger.opened(
                Opened(network=network_of(name), artifact=an_artifact(name), ran_on={}, clock="host", warmup_s=[0.1])
            )
        for name, visit in simulated_visits(Random(seed), visits, slow, wander, readings=3 if read else 0):
            ledger.visited(ledger.runs[name], visit)
        if end:
            ledger.end()
        return list(ledger.records.values())

    return make


@pytest.fixture
def network_of():
    from bench.records.network_run import network_of as of
    from models import find

    return lambda name: of(find(name)[0])
