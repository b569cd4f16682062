"""Which phone is held, with the real adb server and fake phones."""

import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from devices.phone import lease
from devices.phone.invocation import FOLDER
from devices.phone.options import PhoneOptions
from devices.runtime import runtime_of
from devices.targets import find_targets
from system.errors import UserError

ROOT = Path(__file__).parents[3]
HOLD = """
import sys, time
import msgspec
from devices.runtime import runtime_of
from devices.targets import Target
target = msgspec.json.decode(sys.argv[1], type=Target)
with runtime_of(target).hold(target) as held:
    print(held.device, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def target(server):
    def make(name="pixel2", **options):
        (found,) = find_targets(name)
        return msgspec.structs.replace(found, options=found.options | {"adb_port": server.port} | options)

    return make


@pytest.fixture
def hold():
    with ExitStack() as held:
        yield lambda target: held.enter_context(runtime_of(target).hold(target))


def test_each_of_two_equal_phones_is_held_once(phones, target, hold):
    serials = [phones().serial, phones().serial]
    held = [hold(target()), hold(target())]
    assert sorted(each.device for each in held) == sorted(serials)
    assert [each.target.options["serial"] for each in held] == [each.device for each in held]
    assert held[0].target.options.items() >= target().options.items()
    with pytest.raises(UserError) as refused:
        hold(target())
    assert "all 2 phones are in use: " in str(refused.value)
    assert all(f"{serial} is held by pid " in str(refused.value) for serial in serials)
    assert "wait until one is free, or connect another" in str(refused.value)


def test_another_target_of_the_same_phone_finds_it_held(phones, target, hold):
    phone = phones()
    hold(target())
    with pytest.raises(UserError, match=f"phone {phone.serial} is in use: .* wait until it is free"):
        hold(target("pixel2-4threads"))


def test_a_phone_that_is_named_is_that_one_or_none(phones, target, hold):
    _, second = phones(), phones()
    assert hold(target(serial=second.serial)).device == second.serial
    with pytest.raises(UserError, match=f"phone {second.serial} is in use"):
        hold(target(serial=second.serial))


def test_of_several_models_the_target_s_is_held_and_of_any_model_one_must_be_chosen(phones, target, hold):
    other, phone = phones(model="Pixel 4"), phones()
    with pytest.raises(UserError, match=r"several adb devices: .*; choose one with --device SERIAL"):
        hold(target("android"))
    assert hold(target()).device == phone.serial
    assert hold(target("android", serial=other.serial)).device == other.serial


def test_a_phone_of_an_owner_that_was_killed_is_free_at_once(phones, target, hold, server):
    phone = phones()
    command = [sys.executable, "-c", HOLD, msgspec.json.encode(target()).decode()]
    with subprocess.Popen(command, cwd=ROOT, env=server.environment, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout.readline().strip() == phone.serial
        with pytest.raises(UserError, match=f"{phone.serial} is held by pid {owner.pid} of "):
            hold(target())
        owner.send_signal(signal.SIGKILL)
    assert hold(target()).device == phone.serial


def test_one_server_has_one_name_however_it_is_said(monkeypatch):
    for name in ("ADB_SERVER_SOCKET", "ANDROID_ADB_SERVER_ADDRESS", "ANDROID_ADB_SERVER_PORT"):
        monkeypatch.delenv(name, raising=False)
    plain = lease._server(PhoneOptions())
    assert plain == lease._server(PhoneOptions(adb_host="localhost")) == lease._server(PhoneOptions(adb_port=5037))
    assert plain != lease._server(PhoneOptions(adb_host="lab-machine"))
    monkeypatch.setenv("ADB_SERVER_SOCKET", "tcp:127.0.0.1:5037")
    assert lease._server(PhoneOptions()) == plain
    monkeypatch.setenv("ADB_SERVER_SOCKET", "localfilesystem:/run/adb")
    assert lease._server(PhoneOptions()) == "adb localfilesystem:/run/adb"


def test_what_an_owner_on_another_machine_held_when_it_was_killed_is_restored_though_nothing_is_measured(
    phones, target
):
    """No lease of this machine knows of it: the phone's own file does."""
    phone = phones()
    state = phone.path(f"{FOLDER}/state")
    state.parent.mkdir(parents=True)
    state.write_text("stay=0\nautomatic=1\nbrightness=180\nairplane=0\n  mWakefulness=Asleep\n")
    held = {"stay_on_while_plugged_in": "7", "screen_brightness_mode": "0", "screen_brightness": "1"}
    for name, value in (held | {"airplane_mode_on": "1"}).items():
        phone.path(f"settings/{name}").write_text(f"{value}\n")
    phone.path("dumpsys/power").write_text("  mWakefulness=Awake\n")
    with runtime_of(target()).hold(target()):
        assert phone.setting("screen_brightness") == "1"
    assert {name: phone.setting(name) for name in held} == {
        "stay_on_while_plugged_in": "0",
        "screen_brightness_mode": "1",
        "screen_brightness": "180",
    }
    assert phone.setting("airplane_mode_on") == "0"
    assert "Asleep" in phone.path("dumpsys/power").read_text()
    assert not state.exists()


def test_a_phone_that_was_left_as_it_was_is_not_touched(phones, target):
    phone = phones()
    with runtime_of(target()).hold(target()):
        pass
    assert not any("settings put" in command or "input" in command for command in phone.commands)
