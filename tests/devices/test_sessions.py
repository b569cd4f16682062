"""The contract that every runtime keeps, run on the ones that are here, in their worker processes."""

import os
import signal
from pathlib import Path

import msgspec
import pytest

from devices.runtime import runtime_of
from devices.targets import find_targets
from devices.worker import NoRoom, SessionLost, WorkerSession, open_session
from exporters.cache import Cache
from models import find

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)SuperResK3K3(8,8,1,8,1)@32"


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("artifacts"))


def target_named(name: str):
    (target,) = find_targets(name)
    return target


ON_A_GPU = ("gpu", "gpu-torch", "gpu-tensorrt")
GPU = [pytest.param(name, marks=pytest.mark.gpu) for name in ON_A_GPU]
# What the zoo has and GPU libraries have failed at: pads on two sides only with SiLU and squeeze-excite; 7x7 depthwise.
PADDED = "timm:tf_efficientnet_b0@32"
DEPTHWISE = "zennet-se:SuperConvK3BNRELU(3,8,2,1)SuperResIDWE2K7(8,16,2,16,1)@32"


@pytest.fixture(params=["cpu", "cpu-int8", "cpu-torch", "openvino", "openvino-int8", "fake", *GPU])
def target(request):
    return target_named(request.param)


@pytest.fixture
def session(target, cache):
    artifact = cache.obtain(target.job(find(TINY)[0]))
    session = open_session(artifact, target, timeout_s=60)
    yield session
    session.close()


def test_run_gives_the_seconds_of_each_inference(session):
    samples = session.run(5)
    assert len(samples.seconds) == 5
    assert min(samples.seconds) > 0
    assert all(len(values) == 5 for values in samples.evidence.values())


@pytest.mark.gpu
@pytest.mark.parametrize("network", [PADDED, DEPTHWISE])
@pytest.mark.parametrize("name", ON_A_GPU)
def test_a_gpu_runs_the_blocks_of_the_zoo(name, network, cache):
    target = target_named(name)
    session = open_session(cache.obtain(target.job(find(network)[0])), target, timeout_s=300)
    assert len(session.run(3).seconds) == 3
    assert ("explicit_pads" in session.ran_on) == ((name, network) == ("gpu", PADDED))
    session.close()


def test_a_session_says_where_it_runs_and_by_which_clock(session):
    assert session.ran_on
    assert session.clock
    assert session.aggregates is False


def test_a_session_can_be_closed_twice(session):
    session.close()
    session.close()


def test_threads_are_what_the_target_says(cache):
    target = msgspec.structs.replace(target_named("cpu"), options={"provider": "CPUExecutionProvider", "threads": 1})
    session = open_session(cache.obtain(target.job(find(TINY)[0])), target, timeout_s=60)
    assert session.ran_on["threads"] == 1
    session.close()


@pytest.mark.parametrize("name", ["cpu", "cpu-torch", "openvino"])
def test_a_damaged_file_is_a_lost_session_with_its_reason(name, cache, tmp_path):
    target = target_named(name)
    artifact = cache.obtain(target.job(find(TINY)[0]))
    damaged = tmp_path / Path(artifact.path).name
    damaged.write_bytes(Path(artifact.path).read_bytes()[:100])
    with pytest.raises(SessionLost, match=r".+"):
        open_session(msgspec.structs.replace(artifact, path=str(damaged)), target, timeout_s=60)


def test_a_worker_that_is_killed_is_a_lost_session(cache):
    target = target_named("cpu")
    session = open_session(cache.obtain(target.job(find(TINY)[0])), target, timeout_s=60)
    os.kill(session._process.pid, signal.SIGKILL)
    with pytest.raises(SessionLost, match="killed, most likely out of memory"):
        session.run(1)
    session.close()


def test_a_worker_that_hangs_is_given_up(cache):
    target = target_named("cpu")
    session = open_session(cache.obtain(target.job(find(TINY)[0])), target, timeout_s=60)
    session._timeout_s = 0.2
    os.kill(session._process.pid, signal.SIGSTOP)
    with pytest.raises(SessionLost, match=r"hung: no answer within 0\.2 s"):
        session.run(1)
    session.close()


def test_onnx_runtime_on_another_provider_is_an_error(cache):
    target = target_named("cpu")
    artifact = cache.obtain(target.job(find(TINY)[0]))
    elsewhere = msgspec.structs.replace(target, options={"provider": "CUDAExecutionProvider"})
    with pytest.raises(SessionLost, match="CUDAExecutionProvider"):
        open_session(artifact, elsewhere, timeout_s=60)


def test_the_fake_device_takes_exactly_its_seconds_by_a_virtual_clock(cache):
    fake = msgspec.structs.replace(target_named("fake"), options={"seconds": {"*": [0.25, 0.5]}})
    runtime = runtime_of(fake)
    session = open_session(cache.obtain(fake.job(find(TINY)[0])), fake, timeout_s=1)
    begun_s = runtime.now_s(fake)
    assert session.run(3).seconds == [0.25, 0.5, 0.25]
    assert session.run(1).seconds == [0.5]
    assert runtime.now_s(fake) - begun_s == 1.5


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"seconds": {"*": 1.0}, "fail": {"zennet*": "out of memory"}}, "out of memory"),
        ({}, "no seconds"),
        ({"seconds": {"*": [0.1, 0]}}, "above 0"),
    ],
)
def test_the_fake_device_fails_as_its_table_says(cache, options, says):
    fake = msgspec.structs.replace(target_named("fake"), options=options)
    with pytest.raises(SessionLost, match=says):
        open_session(cache.obtain(fake.job(find(TINY)[0])), fake, timeout_s=1)


@pytest.mark.parametrize("opening", [open_session, WorkerSession])
def test_a_session_that_its_devices_memory_has_no_room_for_says_so_in_whichever_process(cache, opening):
    options = {"seconds": {"*": 0.1}, "memory_bytes": 10, "session_bytes": {"*": 11}}
    fake = msgspec.structs.replace(target_named("fake"), options=options)
    with pytest.raises(NoRoom, match="the fake device is full: 11 bytes"):
        opening(cache.obtain(fake.job(find(TINY)[0])), fake, timeout_s=60)
    failing = msgspec.structs.replace(fake, options=options | {"fail": {"*": "cracked"}})
    with pytest.raises(SessionLost, match="cracked") as lost:
        opening(cache.obtain(fake.job(find(TINY)[0])), failing, timeout_s=60)
    assert not isinstance(lost.value, NoRoom)
