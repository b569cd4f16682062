import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from bench.records.store import read_records
from devices.runtimes.litert import open_session
from devices.targets import find_targets
from devices.worker import SessionLost
from devices.worker import open_session as open_in_worker
from exporters.artifact import Job
from exporters.cache import Cache
from models import find
from system.errors import UserError
from tests.fake_phone.networks import FIRST, exported, tiny_artifacts


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
    assert str(session.ran_on["delegate"]).startswith("XNNPACK")
    assert not session.aggregates
    session.close()


def test_it_runs_in_a_worker(artifact, target):
    session = open_in_worker(artifact, target, timeout_s=60)
    assert len(session.run(2).seconds) == 2
    session.close()


def test_another_batch_is_refused(artifact, target):
    with pytest.raises(UserError, match="wrong batch: 1; export with --batch 4"):
        open_session(artifact, msgspec.structs.replace(target, batch=4))


def test_a_target_with_a_batch_behind_its_name_gets_a_file_of_that_batch(tmp_path_factory):
    (model,), (target,) = find(FIRST), find_targets("cpu-tflite@4")
    session = open_session(exported(tmp_path_factory, target.job(model)), target)
    assert len(session.run(2).seconds) == 2
    session.close()


def test_a_damaged_file_is_a_lost_session(artifact, target, tmp_path):
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(Path(artifact.path).read_bytes()[:200])
    with pytest.raises(SessionLost, match="can't load"):
        open_in_worker(msgspec.structs.replace(artifact, path=str(damaged)), target, timeout_s=60)


# Stands before the real converter on the path, becomes it, and fails by the size of the image.
_FAILING_CONVERTER = """
import os, resource, signal, sys

sys.path.remove(os.path.dirname(os.path.dirname(__file__)))
del sys.modules["litert_torch"]
import litert_torch

convert = litert_torch.convert


def failing(network, example):
    pixels = example[0].shape[1]
    if pixels == 16:
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGSEGV)
    if pixels == 17:
        os.abort()
    if pixels == 18:  # as the kernel does where memory is short
        os.kill(os.getpid(), signal.SIGKILL)
    if pixels == 19:
        resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))
        bytearray(1 << 41)
    return convert(network, example)


litert_torch.convert = failing
"""


def test_a_converter_that_crashes_or_eats_the_memory_costs_one_network_its_number(tmp_path):
    package = tmp_path / "path/litert_torch"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(_FAILING_CONVERTER)
    names = {px: f"zennet:SuperConvK3BNRELU(3,8,2,1)@{px}" for px in range(16, 21)}
    chosen = [part for name in names.values() for part in ("--model", name)]
    shape = ["--min-visits", "1", "--max-visits", "1", "--warmup", "0.01", "--visit", "0.01"]
    folders = ["--results", str(tmp_path / "results"), "--artifacts", str(tmp_path / "artifacts")]
    done = subprocess.run(
        [sys.executable, "-m", "bench", "cpu-tflite", *chosen, *shape, *folders],
        cwd=Path(__file__).parents[3], env=os.environ | {"PYTHONPATH": str(package.parent)}, capture_output=True,
        text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    records = {record.model.name: record for record in read_records(tmp_path / "results/cpu-tflite.jsonl")}
    assert {name: record.reason for name, record in records.items()} == {
        names[16]: "crashed (SIGSEGV)",
        names[17]: "crashed (SIGABRT)",
        names[18]: "killed, most likely out of memory",
        names[19]: "out of memory",
        names[20]: None,
    }
    assert records[names[20]].measurement is not None
