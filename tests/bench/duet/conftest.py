from pathlib import Path

import msgspec
import pytest

from bench.duet.against import Against
from bench.duet.request import DuetRequest
from bench.duet.settings import DuetSettings
from devices.targets import find_targets
from models import find


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
            models=[model for pattern in patterns or ["*"] for model in find(pattern)],
            settings=DuetSettings(**settings),
            results=tmp_path / "results",
            artifacts=artifacts,
        )

    return make


@pytest.fixture
def duets_file(tmp_path) -> Path:
    return tmp_path / "results" / "duets" / "fake.jsonl"
