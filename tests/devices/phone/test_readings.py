import contextlib
import re
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from devices.options import read_options
from devices.phone import benchmark_tool
from devices.phone.adb import Listed, choose, parse_devices
from devices.phone.benchmark_tool import find_tool
from devices.phone.options import PhoneOptions
from devices.phone.readings import Core, Readings, parse_readings, throttled
from devices.runtime import absence_of
from devices.targets import find_targets
from system.digest import sha256_of
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


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_the_tool_is_downloaded_once_and_again_where_it_is_damaged(cache):
    source = cache / "served"
    source.write_bytes(b"tool")
    options = PhoneOptions(benchmark_model_address=source.as_uri())
    tool = find_tool(options)
    assert (tool.path.read_bytes(), tool.sha256) == (b"tool", sha256_of(source))
    source.write_bytes(b"newer")
    assert find_tool(options) == tool
    tool.path.write_bytes(b"damaged")
    assert find_tool(options).path.read_bytes() == b"newer"


def test_each_address_has_its_own_tool(cache):
    first, second = cache / "first", cache / "second"
    first.write_bytes(b"one")
    second.write_bytes(b"other")
    tools = [find_tool(PhoneOptions(benchmark_model_address=source.as_uri())) for source in (first, second, first)]
    assert [tool.path.read_bytes() for tool in tools] == [b"one", b"other", b"one"]


@pytest.fixture
def short_answers():
    """An HTTP server whose every answer is shorter than it says; its address."""

    class Short(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half of it")

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Short) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/tool"
        server.shutdown()


def test_a_download_that_breaks_off_is_one_error_and_nothing_is_kept(cache, short_answers):
    with pytest.raises(UserError, match=r"can't download benchmark_model: 10 of 1000 bytes; download http://"):
        find_tool(PhoneOptions(benchmark_model_address=short_answers))
    assert not list((cache / "cache").rglob("*benchmark_model"))


def test_a_page_in_place_of_the_tool_is_not_kept_whatever_its_server_calls_it(cache):
    source = cache / "served"
    source.write_bytes(b"\n<!DOCTYPE html><html>Log in</html>")
    options = PhoneOptions(benchmark_model_address=source.as_uri())
    with pytest.raises(UserError, match=r"can't download benchmark_model: an HTML page instead; download file://"):
        find_tool(options)
    source.write_bytes(b"tool")
    assert find_tool(options).path.read_bytes() == b"tool"


def test_several_that_need_the_tool_at_once_download_it_once(cache, monkeypatch):
    source, fetched = cache / "served", []
    source.write_bytes(b"tool")
    options = PhoneOptions(benchmark_model_address=source.as_uri())
    whole = benchmark_tool.download

    def slow(*arguments):
        fetched.append(arguments)
        time.sleep(0.2)
        whole(*arguments)

    monkeypatch.setattr(benchmark_tool, "download", slow)
    with ThreadPoolExecutor(3) as threads:
        assert len(set(threads.map(find_tool, [options] * 3))) == 1
    assert len(fetched) == 1


def test_a_cache_that_can_not_be_written_or_read_is_one_error(cache):
    source = cache / "served"
    source.write_bytes(b"tool")
    options = PhoneOptions(benchmark_model_address=source.as_uri())
    (cache / "cache").write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"can't keep benchmark_model at .*: .*; set XDG_CACHE_HOME"):
        find_tool(options)
    (cache / "cache").unlink()
    tool = find_tool(options)
    recorded = tool.path.with_suffix(".sha256")
    recorded.write_bytes(b"\xff\xfe")  # damaged: downloaded again
    assert find_tool(options) == tool
    recorded.unlink()
    recorded.mkdir()
    with pytest.raises(UserError, match=r"can't keep benchmark_model at .*: Is a directory"):
        find_tool(options)


def test_a_tool_that_can_not_be_had_is_one_error_with_its_address(cache, monkeypatch):
    address = (cache / "absent").as_uri()
    with pytest.raises(
        UserError, match=r"can't download benchmark_model: .*absent elsewhere and give --benchmark-model"
    ):
        find_tool(PhoneOptions(benchmark_model_address=address))
    assert not list((cache / "cache").rglob("*benchmark_model"))
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: pytest.fail("a given tool is not downloaded"))
    with pytest.raises(UserError, match="can't read"):
        find_tool(PhoneOptions(benchmark_model=str(cache / "absent")))
