from pathlib import Path

import msgspec
import pytest

from devices.litert import open_session
from devices.targets import find_targets
from devices.worker import SessionLost
from devices.worker import open_session as open_in_worker
from exporters.artifact import Job
from exporters.cache import Cache
from models import find
from models.errors import UserError
from tests.fake_phone.networks import FIRST, tiny_artifacts


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    (model,) = find(FIRST)
    return Cache(tiny_artifacts(tmp_path_factory)).obtain(Job(model=model, format="tflite", precision="fp32", batch=1))


@pytest.fixture
def target():
    (target,) = find_targets("cpu-tflite")
    return target


def test_a_session_runs_on_xnnpack_and_gives_every_time(artifact, target):
    session = open_session(artifact, target)
    samples = session.run(5)
    assert len(samples.seconds) == 5
    assert all(second > 0 for second in samples.seconds)
    assert str(session.place["delegate"]).startswith("XNNPACK")
    assert not session.aggregates
    session.close()


def test_it_runs_in_a_worker(artifact, target):
    session = open_in_worker(artifact, target, timeout_s=60)
    assert len(session.run(2).seconds) == 2
    session.close()


def test_another_batch_is_refused(artifact, target):
    with pytest.raises(UserError, match="wrong batch: 1; export with --batch 4"):
        open_session(artifact, msgspec.structs.replace(target, batch=4))


def test_a_damaged_file_is_a_lost_session(artifact, target, tmp_path):
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(Path(artifact.path).read_bytes()[:200])
    with pytest.raises(SessionLost, match="can't load"):
        open_in_worker(msgspec.structs.replace(artifact, path=str(damaged)), target, timeout_s=60)
