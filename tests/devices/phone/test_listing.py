"""What `adb devices -l` lists, and which of the phones a target runs on."""

import contextlib
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from devices.phone.listing import Listed, choose, parse_devices
from devices.runtime import absence_of
from devices.targets import find_targets
from system.errors import UserError

LISTING = """\
* daemon not running; starting now at tcp:5037
* daemon started successfully
List of devices attached
HT7950201234           device usb:1-2 product:walleye model:Pixel_2 device:walleye transport_id:1
192.168.1.7:5555       offline product:taimen model:Pixel_2_XL device:taimen transport_id:4
0123456789ABCDEF       unauthorized usb:1-3 transport_id:2
????????????           no permissions (missing udev rules? user is in the plugdev group); see [http://x] usb:1-4
adb-FA7AA1A00000-AbCdEf._adb-tls-connect._tcp device product:walleye model:Pixel_2 device:walleye transport_id:5
adb-FA7AA1A00000-AbCdEf (2)._adb-tls-connect._tcp offline transport_id:6

"""
NOISE = """\
adb server version (41) doesn't match this client (39); killing...
adb: failed to check server version: unknown host service
* failed to start daemon; host device unknown
List of devices attached
"""
PHONE = Listed("HT7950201234", "device", "Pixel_2", usb=True)


def test_a_listing_is_read():
    phones = parse_devices(LISTING)
    assert phones[0] == PHONE
    states = ["device", "offline", "unauthorized", "no permissions", "device", "offline"]
    assert [phone.state for phone in phones] == states
    assert [phone.usb for phone in phones] == [True, False, True, True, False, False]


def test_a_phone_paired_over_wifi_is_found_whatever_its_serial_holds():
    first, second = parse_devices(LISTING)[-2:]
    assert (first.serial, first.model) == ("adb-FA7AA1A00000-AbCdEf._adb-tls-connect._tcp", "Pixel_2")
    assert second.serial == "adb-FA7AA1A00000-AbCdEf (2)._adb-tls-connect._tcp"


@given(st.from_regex(r"[!-~]([ -~]{0,30}[!-~])?", fullmatch=True), st.sampled_from(["device", "offline"]))
def test_a_serial_comes_back_unless_it_reads_like_words_of_adbs(serial, state):
    assume(not re.match(r"List of |\*|adb[ :]", serial) and not re.search(r" (device|[a-z]{4,})( |;|$)", serial))
    (phone,) = parse_devices(NOISE + f"{serial:<22} {state} transport_id:1\n")
    assert (phone.serial, phone.state) == (serial, state)


def test_what_adb_says_besides_is_no_phone():
    assert parse_devices(NOISE) == []


@given(st.text())
def test_any_listing_is_read(text):
    for phone in parse_devices(text):
        assert phone.serial
        assert phone.state


def test_the_one_ready_phone_is_chosen_among_those_that_are_not():
    assert choose(parse_devices(LISTING)[:-2], serial=None, model="Pixel 2") == [PHONE]


@pytest.mark.parametrize(
    ("phones", "serial", "message"),
    [
        ([], None, "no adb device: connect one"),
        ([PHONE], "X", "no adb device X: HT7950201234"),
        ([Listed("B", "device", "Pixel_4", usb=True)] * 2, None, r"none is a Pixel 2: B \(Pixel 4\), B"),
        ([Listed("B", "device", "Pixel_2_XL", usb=True)], None, "not a Pixel 2: B is a Pixel 2 XL"),
        ([Listed("B", "unauthorized", "", usb=True)], None, "B is unauthorized; unlock it"),
        ([Listed("B", "offline", "", usb=True)], "B", "B is offline; plug it in again"),
        ([Listed("B", "no permissions", "", usb=True)], None, "udev"),
        ([Listed("B", "recovery", "", usb=True)], None, "let it start Android"),
    ],
)
def test_why_no_phone_can_be_measured_is_told(phones, serial, message):
    with pytest.raises(UserError, match=message):
        choose(phones, serial=serial, model="Pixel 2")


@pytest.mark.parametrize(
    ("target", "models"),
    [
        ("pixel8", {"Pixel_8": True, "Pixel_8_Pro": False, "Pixel_8a": False}),
        ("galaxy-s24", {"SM_S921B": True, "SM_S921N": True, "SM_S921U": False, "SM_S926B": False}),
        ("galaxy-s24-snapdragon", {"SM_S921U": True, "SM_S921U1": True, "SM_S921W": True, "SM_S9210": True}),
        ("galaxy-s24-snapdragon", {"SM_S921B": False, "SM_S9260": False}),
    ],
)
def test_a_model_may_be_a_glob_of_those_that_have_the_same_processor(target, models):
    (wanted,) = find_targets(target)
    for model, fits in models.items():
        phone = Listed("B", "device", model, usb=True)
        refused = contextlib.nullcontext() if fits else pytest.raises(UserError, match=r"not a .*: B is a")
        with refused:
            assert choose([phone], serial=None, model=wanted.device) == [phone]


def test_all_phones_of_the_target_s_model_can_be_measured_whatever_else_is_connected():
    twin = Listed("B", "device", "Pixel_2", usb=False)
    others = [Listed("C", "device", "Pixel_4", usb=True), Listed("D", "offline", "Pixel_2", usb=True)]
    assert choose([PHONE, *others, twin], serial=None, model="Pixel 2") == [PHONE, twin]
    assert choose([PHONE, *others, twin], serial="B", model="Pixel 2") == [twin]
    assert choose([PHONE, twin], serial=None, model="any") == [PHONE, twin]


@pytest.mark.parametrize(
    ("target", "models"),
    [
        ("android", ["Pixel_2", "Pixel_4"]),
        ("android", ["", ""]),
        ("galaxy-s24", ["SM_S921B", "SM_S921N"]),
    ],
)
def test_of_several_models_that_fit_one_must_be_chosen(target, models):
    (wanted,) = find_targets(target)
    phones = [Listed(f"S{number}", "device", model, usb=True) for number, model in enumerate(models)]
    with pytest.raises(UserError, match=r"several adb devices: S0 .*, S1 .*; choose one with --device SERIAL"):
        choose(phones, serial=None, model=wanted.device)
    assert choose(phones, serial="S1", model=wanted.device) == phones[1:]


def test_a_glob_may_have_a_range_of_characters():
    phone = Listed("B", "device", "SM_S926B", usb=True)
    assert choose([phone], serial=None, model="SM-S92[1-6]B") == [phone]
    with pytest.raises(UserError, match="not a SM-S92"):
        choose([phone], serial=None, model="SM-S92[1-5]B")


def test_an_adb_that_can_not_be_started_is_one_error(monkeypatch):
    monkeypatch.setenv("ADBUTILS_ADB_PATH", "/nonexistent/adb")
    (target,) = find_targets("pixel2")
    found = "/nonexistent/adb: No such file or directory"
    assert absence_of(target) == f"adb can't be started: {found}; mend it, or unset ADBUTILS_ADB_PATH"
