from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from bench.records.record import Record
from devices.targets import find_targets
from models import find

NOISE = (1.0, 1.002, 0.998, 1.001, 0.999, 1.0)


@pytest.fixture(scope="session")
def along_batch(make_record) -> Callable[..., list[Record]]:
    """Records of a network at each batch, which takes `seconds` a batch; None is no number."""

    def make(seconds: dict[int, float | None], model: str = "EfficientNet-B3", target: str = "gpu") -> list[Record]:
        return [
            make_record(model, find_targets(f"{target}@{batch}")[0], _visits(each), reason=None if each else "full")
            for batch, each in seconds.items()
        ]

    return make


@pytest.fixture(scope="session")
def along_resolution(make_record) -> Callable[..., list[Record]]:
    """Records of a network at each resolution, which takes `seconds` an image."""
    from bench.records.network_run import network_of

    def make(seconds: dict[int, float], model: str = "EfficientNet-B3", target: str = "cpu") -> list[Record]:
        return [
            make_record(network_of(find(f"{model}@{px}")[0]), target, _visits(each)) for px, each in seconds.items()
        ]

    return make


@pytest.fixture(scope="session")
def saturating(along_batch) -> list[Record]:
    """A GPU that takes as long for eight images as for one, and then in proportion."""
    return along_batch({batch: 0.001 * max(8, batch) / 8 for batch in (1, 2, 4, 8, 16, 32, 64)})


def elsewhere(record: Record) -> Record:
    """The same record of another machine."""
    machine = replace(record.conditions.machine, cpu="another")
    return replace(record, conditions=replace(record.conditions, machine=machine))


def _visits(seconds: float | None) -> Sequence[float] | None:
    return None if seconds is None else [seconds * each for each in NOISE]
