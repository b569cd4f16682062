"""The contract that every runtime's predictor keeps: on the runtimes that are here, in this process and in workers."""

import os
import signal

import msgspec
import numpy as np
import pytest

from devices.predict import PredictorWorker, open_predictor, predictor_of
from devices.runtime import Runtime, runtime_of
from devices.runtimes import fake as fake_runtime
from devices.targets import find_targets
from devices.worker import NoRoom, SessionLost, open_here
from exporters.artifact import Job
from exporters.fidelity import measure_fidelity, source_logits
from models import find
from models.images import synthetic_images
from system.errors import UserError
from tests.fake_phone.networks import exported

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)SuperResK3K3(8,8,1,8,1)@32"
BATCH = 3
GPU = [pytest.param(name, marks=pytest.mark.gpu) for name in ("gpu", "gpu-torch", "gpu-tensorrt")]
COMPUTING = ("cpu", "cpu-int8", "cpu-torch", "cpu-tflite", "cpu-tflite-int8", *GPU)
# How far FP32 logits of another runtime may lie from torch's, over the largest one; what the exports are held to.
FP32_LIMIT = 1e-4
# The smallest cosine of an image's logits, in FP16 or INT8; measured over these images: 0.989 and more.
COSINE_LIMIT = 0.98


@pytest.fixture(scope="session")
def artifact_of(tmp_path_factory):
    """The tiny network's file that a target loads."""
    return lambda target: exported(tmp_path_factory, target.job(find(TINY)[0]))


def target_named(name, **changes):
    (target,) = find_targets(name)
    return msgspec.structs.replace(target, **{"batch": BATCH} | changes)


def images(seed=0):
    return synthetic_images(BATCH, 32, seed=seed)


def fp32_logits(shown):
    return source_logits(Job(model=find(TINY)[0], format="torch", precision="fp32"), shown)


@pytest.fixture(params=COMPUTING)
def computing(request):
    """A target that computes the network's logits."""
    return target_named(request.param)


@pytest.fixture(params=[*COMPUTING, "fake"])
def target(request):
    return target_named(request.param)


@pytest.fixture
def predictor(target, artifact_of):
    predictor = predictor_of(artifact_of(target), target)
    yield predictor
    predictor.close()


def test_every_runtime_has_a_predictor():
    for target in find_targets("*"):
        assert runtime_of(target).open_predictor is not None, target.name


def test_logits_are_those_of_the_torch_network_as_far_as_the_precision_goes(computing, artifact_of):
    predictor = predictor_of(artifact_of(computing), computing)
    shown = [images(seed) for seed in range(5)]
    found = measure_fidelity(
        np.concatenate([fp32_logits(batch) for batch in shown]),
        np.concatenate([predictor.predict(batch) for batch in shown]),
    )
    assert found.images == 5 * BATCH
    if computing.precision == "fp32":
        assert found.relative_error <= FP32_LIMIT
        assert found.top1_agreement == 1
    assert found.cosine >= COSINE_LIMIT
    predictor.close()


def test_logits_are_one_row_an_image_in_float32(predictor):
    logits = predictor.predict(images())
    assert (logits.shape, logits.dtype) == ((BATCH, 1000), np.float32)


def test_other_images_have_other_logits_and_the_same_ones_the_same(predictor):
    first, other, again = (predictor.predict(images(seed)) for seed in (0, 1, 0))
    assert (first == again).all()
    assert (first != other).any(axis=1).all()
    assert len({row.tobytes() for row in np.concatenate([first, other])}) == 2 * BATCH


def test_the_order_within_a_batch_is_kept(predictor):
    shown = images()
    straight, reversed_ = predictor.predict(shown), predictor.predict(shown[::-1])
    assert measure_fidelity(straight, reversed_[::-1]).relative_error <= 1e-3
    assert measure_fidelity(straight, reversed_).relative_error > 1e-2


def test_logits_stay_as_they_are_when_the_next_images_come(predictor):
    logits = predictor.predict(images())
    kept = logits.copy()
    predictor.predict(images(1))
    assert (logits == kept).all()


def test_the_images_are_read_once_and_left_alone(predictor):
    shown = images()
    before = shown.copy()
    logits = predictor.predict(shown)
    assert (shown == before).all()
    shown[:] = 0
    assert (predictor.predict(before) == logits).all()


WRONG = {
    "a smaller batch": np.zeros((BATCH - 1, 3, 32, 32), np.float32),
    "a larger batch": np.zeros((BATCH + 1, 3, 32, 32), np.float32),
    "one image alone": np.zeros((3, 32, 32), np.float32),
    "another resolution": np.zeros((BATCH, 3, 33, 32), np.float32),
    "channels last": np.zeros((BATCH, 32, 32, 3), np.float32),
    "another type": np.zeros((BATCH, 3, 32, 32), np.uint8),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_images_of_another_shape_or_type_are_refused(predictor, wrong):
    with pytest.raises(UserError, match=f"no images for this artifact: .*{wrong.dtype}; give 3x3x32x32 of float32"):
        predictor.predict(wrong)
    assert predictor.predict(images()).shape == (BATCH, 1000)


def test_a_predictor_can_be_closed_twice(predictor):
    predictor.close()
    predictor.close()


def test_it_runs_where_the_sessions_of_its_target_run(target, artifact_of):
    artifact = artifact_of(target)
    session, predictor = open_here(artifact, target), predictor_of(artifact, target)
    assert predictor.ran_on == session.ran_on
    session.close()
    predictor.close()


@pytest.mark.parametrize("name", ["cpu", "cpu-tflite", "cpu-torch"])
def test_threads_are_what_the_target_says(name, artifact_of):
    options = find_targets(name)[0].options | {"threads": 1}
    target = target_named(name, options=options)
    predictor = predictor_of(artifact_of(target), target)
    assert predictor.ran_on["threads"] == 1
    predictor.close()


def test_channels_last_is_another_layout_of_the_same_network(artifact_of):
    target = target_named("cpu-torch", options={"channels_last": True})
    predictor = predictor_of(artifact_of(target), target)
    assert measure_fidelity(fp32_logits(images()), predictor.predict(images())).relative_error <= FP32_LIMIT
    weights = predictor._loaded.module.state_dict().values()
    assert any(not value.is_contiguous() for value in weights)
    predictor.close()


def test_images_in_any_memory_layout_are_taken_as_what_they_say(predictor):
    shown = images()
    strided = np.ascontiguousarray(shown.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    assert not strided.flags.c_contiguous
    assert (predictor.predict(strided) == predictor.predict(shown)).all()


def test_another_batch_than_the_file_s_is_refused(artifact_of):
    artifact = artifact_of(target_named("cpu-tflite"))
    with pytest.raises(UserError, match="wrong batch: 3; export with --batch 4"):
        predictor_of(artifact, target_named("cpu-tflite", batch=4))


def test_a_runtime_that_only_times_is_one_error(artifact_of, monkeypatch):
    timing = Runtime(absence=fake_runtime.absence, open_session=fake_runtime.open_session)
    monkeypatch.setattr(fake_runtime, "RUNTIME", timing)
    with pytest.raises(UserError, match="no logits from target fake: runtime fake only times them; choose a target"):
        predictor_of(artifact_of(target_named("fake")), target_named("fake"))


# In a process of its own.


@pytest.fixture
def worker(artifact_of):
    target = target_named("cpu")
    worker = open_predictor(artifact_of(target), target, timeout_s=60)
    assert isinstance(worker, PredictorWorker)
    yield worker
    worker.close()


@pytest.mark.parametrize("name", [name for name in COMPUTING if name != "cpu-tflite-int8"])
def test_a_worker_answers_as_a_predictor_in_this_process(name, artifact_of):
    target = target_named(name)
    artifact = artifact_of(target)
    worker, here = open_predictor(artifact, target, timeout_s=300), predictor_of(artifact, target)
    assert worker.ran_on == here.ran_on
    for seed in range(2):
        relative_error = measure_fidelity(here.predict(images(seed)), worker.predict(images(seed))).relative_error
        assert relative_error <= FP32_LIMIT
    worker.close()
    worker.close()
    here.close()


def test_a_worker_takes_no_images_of_another_shape_and_goes_on(worker):
    for wrong in WRONG.values():
        with pytest.raises(UserError, match="no images for this artifact"):
            worker.predict(wrong)
    assert worker.predict(images()).shape == (BATCH, 1000)


def test_a_worker_that_is_killed_is_lost_with_its_reason(worker):
    os.kill(worker._process.pid, signal.SIGKILL)
    for _ in range(2):
        with pytest.raises(SessionLost, match="killed, most likely out of memory"):
            worker.predict(images())


def test_a_worker_that_crashes_is_lost_with_the_signal(worker):
    os.kill(worker._process.pid, signal.SIGSEGV)
    with pytest.raises(SessionLost, match="crashed \\(SIGSEGV\\)"):
        worker.predict(images())


def test_a_worker_that_hangs_is_given_up(worker):
    worker._timeout_s = 0.2
    os.kill(worker._process.pid, signal.SIGSTOP)
    with pytest.raises(SessionLost, match=r"hung: no answer within 0\.2 s"):
        worker.predict(images())


def test_what_a_worker_can_t_load_is_lost_with_its_reason(artifact_of, tmp_path):
    target = target_named("cpu")
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"no protobuf")
    artifact = msgspec.structs.replace(artifact_of(target), path=str(damaged))
    with pytest.raises(SessionLost, match="Protobuf"):
        open_predictor(artifact, target, timeout_s=60)


def test_a_provider_that_is_not_here_is_lost_as_its_session_is(artifact_of):
    target = target_named("cpu")
    elsewhere = msgspec.structs.replace(target, options={"provider": "CUDAExecutionProvider"})
    with pytest.raises(SessionLost, match="CUDAExecutionProvider"):
        open_predictor(artifact_of(target), elsewhere, timeout_s=60)


@pytest.mark.parametrize("opening", [open_predictor, PredictorWorker])
def test_a_predictor_that_its_devices_memory_has_no_room_for_says_so_in_whichever_process(artifact_of, opening):
    full = target_named("fake", options={"memory_bytes": 10, "session_bytes": {"*": 11}})
    with pytest.raises(NoRoom, match="the fake device is full: 11 bytes"):
        opening(artifact_of(full), full, timeout_s=60)
    failing = msgspec.structs.replace(full, options=full.options | {"fail": {"*": "cracked"}})
    with pytest.raises(SessionLost, match="cracked") as lost:
        opening(artifact_of(failing), failing, timeout_s=60)
    assert not isinstance(lost.value, NoRoom)


def test_the_memory_that_a_predictor_took_is_free_once_it_is_closed(artifact_of):
    target = target_named("fake", options={"memory_bytes": 10, "session_bytes": {"*": 10}})
    for _ in range(2):
        predictor = open_predictor(artifact_of(target), target, timeout_s=60)
        predictor.close()
        predictor.close()


class Unplugged(fake_runtime.FakeNetwork):
    def logits(self, images):
        raise UserError("phone is gone", found="offline", fix="plug it in again")


def test_a_device_that_fails_in_this_process_is_lost_as_one_in_another_is(artifact_of, monkeypatch):
    monkeypatch.setattr(fake_runtime, "FakeNetwork", Unplugged)
    target = target_named("fake")
    predictor = open_predictor(artifact_of(target), target, timeout_s=60)
    with pytest.raises(SessionLost, match="phone is gone: offline"):
        predictor.predict(images())
    with pytest.raises(UserError, match="no images for this artifact"):
        predictor.predict(images()[:1])
