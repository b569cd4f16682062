from pathlib import Path

import pytest

from bench.protocol import Protocol
from bench.sweep import SweepRequest, sweep
from devices.targets import find_targets
from models import find


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """The cache of `make bench`: benchmarks may need what takes long to make."""
    return Path("artifacts")


@pytest.fixture
def record(tmp_path):
    (target,) = find_targets("fake")
    order = SweepRequest(
        target=target,
        models=find("EfficientNet-B3"),
        protocol=Protocol(max_visits=50, interval=1e-9),
        results=tmp_path / "results",
        artifacts=tmp_path / "artifacts",
    )
    return sweep(order)[0]
