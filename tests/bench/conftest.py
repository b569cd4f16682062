from pathlib import Path

import msgspec
import pytest

from bench.duet.against import Against
from bench.duet.request import DuetRequest
from bench.duet.settings import DuetSettings
from bench.protocol import Protocol
from bench.records.record import Record
from bench.sweep import SweepRequest, sweep
from devices.targets import find_targets
from models import find
from models.groups import DEFAULT

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)@32"


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("artifacts")


@pytest.fixture
def order(tmp_path, artifacts):
    """Makes an order for the fake device; `options` replaces its table."""

    def make(*patterns: str, options: dict | None = None, resume: bool = False, **protocol) -> SweepRequest:
        (target,) = find_targets("fake")
        if options is not None:
            target = msgspec.structs.replace(target, options=options)
        models = [model for pattern in patterns or [DEFAULT] for model in find(pattern)]
        return SweepRequest(
            target=target,
            models=models,
            protocol=Protocol(**protocol),
            results=tmp_path / "results",
            artifacts=artifacts,
            resume=resume,
        )

    return make


@pytest.fixture
def record(order) -> Record:
    (record,) = sweep(order("EfficientNet-B3"))
    return record


@pytest.fixture
def request_for(tmp_path, artifacts):
    """Makes a request for the fake device, whose sides take the seconds of `old` and `new`."""

    def make(*patterns: str, old: dict, new: dict, fail_new: dict | None = None, **settings) -> DuetRequest:
        (target,) = find_targets("fake")
        return DuetRequest(
            new=msgspec.structs.replace(target, options={"seconds": new, "fail": fail_new or {}}),
            old=msgspec.structs.replace(target, options={"seconds": old}),
            against=Against(options={"seconds": old}),
            said=["option:seconds"],
            models=[model for pattern in patterns or [DEFAULT] for model in find(pattern)],
            settings=DuetSettings(**settings),
            results=tmp_path / "results",
            artifacts=artifacts,
        )

    return make
