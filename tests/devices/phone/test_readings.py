"""What a phone says of itself, and the options that it is measured by."""

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.options import read_options
from devices.phone.options import PhoneOptions
from devices.phone.readings import Core, Readings, parse_readings, throttled
from devices.runtime import absence_of
from devices.targets import find_targets
from system.errors import UserError

READ = """\
Current Battery Service state:
  AC powered: false
  USB powered: true
  level: 87
  temperature: 312

IsStatusOverride: false
Thermal Status: 0

  mWakefulness=Awake
airplane=1
/sys/devices/system/cpu/cpu0/cpufreq 1900800 1900800 300000 interactive
/sys/devices/system/cpu/cpu7/cpufreq 2457600 2457600 1804800 interactive
"""


def test_readings_are_read():
    readings = parse_readings(READ, "80")
    assert (readings.battery_percent, readings.battery_c, readings.thermal_status) == (87, 31.2, 0)
    assert (readings.powered, readings.awake, readings.airplane) == (True, True, True)
    (core,) = readings.cores
    assert core == Core(number=7, max_hz=2457600e3, cap_hz=2457600e3, now_hz=1804800e3, governor="interactive")
    assert parse_readings(READ, None).cores == readings.cores
    assert [core.number for core in parse_readings(READ, "81").cores] == [0, 7]


def test_what_a_phone_does_not_say_is_none():
    nothing = parse_readings("", "80")
    assert (nothing.battery_c, nothing.thermal_status, nothing.awake, nothing.cores) == (None, None, None, [])
    assert throttled(nothing, nothing, limit_c=35) is None


@given(st.one_of(st.text(), st.lists(st.sampled_from(READ.splitlines(keepends=True))).map("".join)))
def test_any_readings_are_read(text):
    assert isinstance(parse_readings(text, "f0"), Readings)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("temperature: 312", "temperature: 361"), "began at 36.1 °C, above 35 °C"),
        (("Thermal Status: 0", "Thermal Status: 2"), "began at thermal status 2"),
        (("2457600 2457600", "2457600 1804800"), "core 7 capped at 1.80 of 2.46 GHz before it"),
    ],
)
def test_what_throttles_is_told(change, reason):
    cool, other = parse_readings(READ, "80"), parse_readings(READ.replace(*change), "80")
    assert throttled(cool, cool, limit_c=35) is None
    assert throttled(other, cool, limit_c=35) == reason


def test_a_phone_that_got_hot_is_told_by_its_thermal_status_alone():
    cool = parse_readings(READ, "80")
    hot = parse_readings(READ.replace("Status: 0", "Status: 1").replace("312", "400"), "80")
    assert throttled(cool, hot, limit_c=35) == "thermal status 1 at its end"


def options(given):
    (target,) = find_targets("android")
    return read_options(msgspec.structs.replace(target, options=given), PhoneOptions)


def test_an_option_of_the_wrong_kind_is_one_error():
    assert (options({}).runs, options({"runs": "7"}).runs) == (10, 7)
    assert (options({}).mask, options({"affinity": 80}).mask, options({"affinity": "F0"}).mask) == (None, "80", "F0")
    with pytest.raises(UserError, match="option runs: 'many'; give a whole number"):
        options({"runs": "many"})
    with pytest.raises(UserError, match=r"option affinity: '0xf0'; give .*such as f0 \(hexadecimal mask"):
        options({"affinity": "0xf0"})


@pytest.mark.parametrize(
    ("option", "value", "choices"),
    [
        ("delegate", "nnapi", "gpu or xnnpack"),
        ("delegate", "GPU", "gpu or xnnpack"),
        ("airplane", "Always", "always or never or usb"),
        ("fp16", "no", "true or false"),
    ],
)
def test_an_option_that_is_none_of_its_choices_is_refused_before_a_phone_is_asked(option, value, choices):
    (target,) = find_targets("pixel2-gpu")
    asked = msgspec.structs.replace(target, options=target.options | {option: value})
    start = f"target pixel2-gpu can't take such an option {option}: {value!r}; give {choices} ("
    assert absence_of(asked).startswith(start)


CHOICES = {"delegate": ("xnnpack", "gpu"), "fp16": (True, False), "airplane": ("usb", "always", "never")}


@given(st.sampled_from(sorted(CHOICES)), st.text() | st.integers() | st.none() | st.lists(st.text()))
def test_a_choice_is_one_of_its_own_or_one_error(option, value):
    with contextlib.suppress(UserError):
        assert msgspec.structs.asdict(options({option: value}))[option] in CHOICES[option]
    assert msgspec.structs.asdict(options({}))[option] == CHOICES[option][0]
