"""What every phone keeps: the fake one, and with `-m phone` the one that is connected."""

import os
from pathlib import Path

import msgspec
import numpy as np
import pytest

from devices.phone.adb import connect
from devices.phone.invocation import FOLDER
from devices.predict import open_predictor
from devices.targets import Target, find_targets
from devices.worker import open_session
from exporters.fidelity import measure_fidelity
from exporters.tflite_run import run_file
from models import find
from models.images import synthetic_images
from tests.fake_phone.networks import FIRST, exported
from tests.fake_phone.phone import FakePhone, tool_for_this_machine

HELD = (
    "global stay_on_while_plugged_in", "global airplane_mode_on", "system screen_brightness",
    "system screen_brightness_mode", "system screen_off_timeout",
)  # fmt: skip
QUICK = {"runs": 3, "min_s": 0.05, "cool_down_poll_s": 0.1}


@pytest.fixture(params=["fake", pytest.param("connected", marks=pytest.mark.phone)])
def target(request, tmp_path, server):
    """The target to open: of the fake phone, or the one that `make lanes-report` reports on, else `android`."""
    (android,) = find_targets("android")
    if request.param == "connected":
        asked = os.environ.get("ZENNET_LANE")
        yield msgspec.json.decode(asked, type=Target) if asked else android
        return
    phone = FakePhone(tmp_path / "phone")
    server.connect(phone)
    options = QUICK | {"adb_port": server.port, "benchmark_model": str(tool_for_this_machine(tmp_path))}
    yield msgspec.structs.replace(android, options=android.options | options)
    server.call("disconnect", phone.serial)
    phone.close()


@pytest.fixture
def artifact(target, tmp_path_factory):
    return exported(tmp_path_factory, target.job(find(FIRST)[0]))


@pytest.fixture
def session(artifact, target):
    session = open_session(artifact, target, timeout_s=600)
    yield session
    session.close()


def test_a_visit_is_one_median_with_its_aggregates_and_readings(session):
    assert session.aggregates
    samples = session.run(3)
    (second,) = samples.seconds
    (count,), (low_s,), (high_s,) = (samples.evidence[name] for name in ("count", "min_s", "max_s"))
    assert count >= 3
    assert 0 < low_s <= second <= high_s
    (table,) = samples.conditions
    for when in ("before", "after"):
        readings = table[when]
        assert -20 < readings["battery_c"] < 60
        assert 0 < readings["battery_percent"] <= 100
        assert readings["awake"]
        assert readings["cores"]
        assert all(0 < core["cap_hz"] <= core["max_hz"] < 10e9 for core in readings["cores"])
    assert table["idle_c"] < table["limit_c"]
    assert table["waited_s"] >= 0


def test_a_session_says_which_phone_tool_and_delegate_ran_it(session):
    assert {"device", "android", "build", "connection", "delegate", "tool", "tool_sha256"} <= session.ran_on.keys()
    assert all(session.ran_on.values())


@pytest.mark.parametrize("opening", [open_session, open_predictor])
def test_the_phone_is_as_it_was_once_it_is_closed_also_twice(target, artifact, opening):
    link = connect(target)

    def held():
        return [link.shell(f"settings get {key}").text.strip() for key in HELD]

    before = held()
    opened = opening(artifact, target, timeout_s=600)
    assert held() != before
    opened.close()
    opened.close()
    assert held() == before


def test_it_answers_as_litert_on_this_machine_and_leaves_no_images_behind(target, artifact, session):
    predictor = open_predictor(artifact, target, timeout_s=600)
    assert predictor.ran_on == session.ran_on
    here, shown = run_file(Path(artifact.path)), synthetic_images(2, 32)
    logits = [predictor.predict(shown[at : at + 1]) for at in (0, 1, 0)]
    assert (logits[0] == logits[2]).all()
    for at in (0, 1):
        assert logits[at].dtype == np.float32
        assert measure_fidelity(here(shown[at : at + 1]), logits[at]).relative_error <= 1e-3
    assert measure_fidelity(logits[0], logits[1]).relative_error > 1e-2
    predictor.close()
    left = connect(target).shell(f"ls {FOLDER}").text.split()
    assert left
    assert not [name for name in left if name.endswith(".raw")]
