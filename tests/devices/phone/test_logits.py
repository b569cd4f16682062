"""Logits from the fake phone: what it computes, and what goes wrong there in one line."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from devices.phone.benchmark_model import takes_images
from devices.predict import open_predictor, predictor_of
from devices.targets import find_targets
from devices.worker import SessionLost
from exporters.tflite_run import run_file
from models import find
from models.images import synthetic_images
from system.errors import UserError
from tests.fake_phone.networks import FIRST, exported
from tests.fake_phone.phone import tool_for_this_machine, wait_for

FOLDER = "data/local/tmp/zennet-latency"
QUICK = {"runs": 3, "min_s": 0.05, "max_s": 1, "grace_s": 2, "reconnect_s": 0.5, "cool_down_poll_s": 0.1}


@pytest.fixture
def target(server, tmp_path):
    """Makes the target of a fake phone with a tool of either family."""

    def make(name="pixel2", family="tflite"):
        (target,) = find_targets(name)
        options = QUICK | {"adb_port": server.port, "benchmark_model": str(tool_for_this_machine(tmp_path, family))}
        return msgspec.structs.replace(target, options=target.options | options)

    return make


@pytest.fixture
def artifact_of(tmp_path_factory):
    return lambda target: exported(tmp_path_factory, target.job(find(FIRST)[0]))


@pytest.fixture
def image():
    return synthetic_images(1, 32)


def left_on(phone):
    return [path.name for path in phone.path(FOLDER).iterdir() if path.suffix == ".raw"]


@pytest.mark.parametrize("name", ["pixel2", "pixel2-int8"])
def test_the_phone_computes_what_the_same_file_does_here(phones, target, artifact_of, image, name):
    phone = phones()
    aim = target(name)
    artifact = artifact_of(aim)
    predictor = predictor_of(artifact, aim)
    here = run_file(Path(artifact.path))
    for shown in (image, -image):
        logits = predictor.predict(shown)
        assert (logits.shape, logits.dtype) == ((1, 1000), np.float32)
        assert logits == pytest.approx(here(shown), rel=1e-5, abs=1e-5)
        assert left_on(phone) == []
    predictor.close()


def test_the_tool_is_told_the_session_s_flags_one_run_and_the_two_files(phones, target, artifact_of, image):
    phone = phones()
    predictor = predictor_of(artifact_of(target()), target())
    predictor.predict(image)
    predictor.close()
    (command,) = [command for command in phone.commands if "--output_filepath=" in command]
    for flag in (
        "num_threads=1",
        "use_xnnpack=true",
        "num_runs=1",
        "min_secs=0",
        "warmup_runs=0",
        "warmup_min_secs=-1",
    ):
        assert f"--{flag} " in command
    assert "--input_layer=images --input_layer_shape=1,32,32,3 " in command
    assert f"--input_layer_value_files=images:/{FOLDER}/images-0.raw" in command
    assert "taskset 80 " in command


def test_what_an_earlier_run_left_is_never_taken_for_an_answer(phones, target, artifact_of, image):
    phone = phones()
    phone.path(FOLDER).mkdir(parents=True)
    (phone.path(FOLDER) / "logits-0.raw").write_bytes(bytes(4000))
    predictor = predictor_of(artifact_of(target()), target())
    assert left_on(phone) == []
    phone.faults.append("unkept")
    with pytest.raises(UserError, match="the phone kept no logits"):
        predictor.predict(image)
    predictor.close()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("unkept", "the phone kept no logits: .*No such file.*; make room there: adb shell rm -r"),
        ("cut", "the phone kept no logits: 2000 of 4000 bytes; make room there: adb shell rm -r"),
        ("crash", "benchmark_model crashed: SIGSEGV"),
        ("garbage", "no measured block"),
        ("hang", "benchmark_model was killed: it hung for 3 s"),
        ("decline", "its delegate declined"),
        ("unconsumed", "it does not know every flag"),
    ],
)
def test_what_goes_wrong_on_the_phone_is_one_line_and_the_next_images_are_answered(
    phones, target, artifact_of, image, fault, says
):
    phone = phones()
    predictor = open_predictor(artifact_of(target()), target(), timeout_s=60)
    phone.faults.append(fault)
    with pytest.raises(SessionLost, match=says) as lost:
        predictor.predict(image)
    assert "\n" not in str(lost.value)
    assert left_on(phone) == []
    assert predictor.predict(image).shape == (1, 1000)
    predictor.close()


def test_no_room_for_the_images_is_told(phones, target, artifact_of, image):
    phone = phones()
    predictor = predictor_of(artifact_of(target()), target())
    phone.free_bytes = image.nbytes - 1
    with pytest.raises(UserError, match=r"can't copy images\.raw to the phone: .*No space left on device; make room"):
        predictor.predict(image)
    assert left_on(phone) == []
    predictor.close()


@pytest.mark.parametrize("fault", ["unplug_push", "unplug_run"])
def test_a_phone_that_goes_away_is_told_and_answers_once_it_is_back(phones, target, artifact_of, image, server, fault):
    phone = phones()
    predictor = predictor_of(artifact_of(target()), target())
    phone.faults.append(fault)
    with pytest.raises(UserError, match=f"phone {phone.serial} is gone|the connection broke off"):
        predictor.predict(image)
    with pytest.raises(UserError, match=f"phone {phone.serial} is gone"):
        predictor.predict(image)
    server.call("disconnect", phone.serial)
    phone.plug_in()
    server.connect(phone)
    assert predictor.predict(image).shape == (1, 1000)
    wait_for(lambda: phone.tools_running() == 0)
    predictor.close()


def test_litert_s_own_tool_gives_no_logits_and_the_phone_is_left_as_it_was(phones, target, artifact_of):
    phone = phones()
    aim = target(family="litert")
    with pytest.raises(UserError, match=r"gives no logits: LiteRT's own benchmark_model, .*; give --benchmark-model"):
        predictor_of(artifact_of(aim), aim)
    assert phone.setting("stay_on_while_plugged_in") == "0"


def test_a_tool_of_before_2022_is_told_by_its_usage():
    flags = "--graph=\tstring\n\t--input_layer_value_files=\tstring\n\t--use_xnnpack=false\tbool\n"
    assert not takes_images(flags)
    assert takes_images(f"{flags}\t--output_filepath=\tstring\n")
