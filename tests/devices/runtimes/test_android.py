"""The runtime, the real adb server and client, and a fake phone, through the real `python -m bench`."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bench.records.store import read_records
from devices.targets import find_targets
from exporters.cache import Cache
from models import find
from tests.fake_phone.networks import FIRST, SECOND, tiny_artifacts
from tests.fake_phone.phone import tool_for_this_machine, wait_for
from tests.progress_lines import without_progress

ROOT = Path(__file__).parents[3]
FOLDER = "data/local/tmp/zennet-latency"
# Small numbers, so that what hangs is given up soon.
QUICK = {"runs": 3, "min_s": 0.05, "max_s": 5, "grace_s": 3, "airplane": '"always"', "cool_down_poll_s": 0.1}


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    return tiny_artifacts(tmp_path_factory)


@pytest.fixture
def command(tmp_path, server, artifacts):
    """The command line and environment of `python -m bench pixel2` on the two tiny networks."""

    def make(*arguments, target="pixel2", family="tflite", **options):
        settings = [f"--option={name}={value}" for name, value in (QUICK | options).items()]
        tool = tool_for_this_machine(tmp_path, family)
        line = [sys.executable, "-m", "bench", target, "--model", FIRST, "--model", SECOND]
        line += ["--results", str(tmp_path / "results"), "--artifacts", str(artifacts), "-P", str(server.port)]
        line += ["--min-visits", "1", "--max-visits", "1", "--benchmark-model", str(tool), *settings, *arguments]
        return line

    return make


@pytest.fixture
def bench(tmp_path, server, command):
    """Runs it; the exit code, stderr and the records by network."""

    def run(*arguments, target="pixel2", **options):
        done = subprocess.run(
            command(*arguments, target=target, **options),
            env=server.environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        records = read_records(tmp_path / f"results/{target}.jsonl")
        return done.returncode, done.stderr, {record.model.name: record for record in records}

    return run


def conditions(record):
    return [table for part in record.measurement.visits for table in part.samples.conditions]


def test_two_networks_are_measured_in_interleaved_visits(phones, bench):
    phone = phones()
    code, stderr, records = bench("--min-visits", "2", "--max-visits", "2")
    assert (code, without_progress(stderr)) == (0, [])
    assert records.keys() == {FIRST, SECOND}
    visits = sorted((part.at_s, name) for name, record in records.items() for part in record.measurement.visits)
    assert {name for _, name in visits[:2]} == {FIRST, SECOND}
    record = records[FIRST]
    for part in record.measurement.visits:
        assert len(part.samples.seconds) == 1
        (count,), (low,), (high,) = (part.samples.evidence[name] for name in ("count", "min_s", "max_s"))
        assert count >= 3
        assert low <= part.samples.seconds[0] <= high
    ran_on = record.measurement.ran_on
    assert (ran_on["device"], ran_on["android"], ran_on["tool"]) == ("Pixel 2", "11", "tflite")
    assert ran_on["delegate"] == "XNNPACK, completely"
    assert set((phone.root / "taskset.log").read_text().split()) == {"80"}


def test_readings_before_and_after_are_in_the_record(phones, bench):
    phones()
    _, _, records = bench()
    (table, *_) = conditions(records[FIRST])
    assert "throttled" not in table
    for when in ("before", "after"):
        readings = table[when]
        assert (readings["battery_percent"], readings["battery_c"], readings["thermal_status"]) == (80, 28.0, 0)
        assert (readings["awake"], readings["airplane"]) == (True, True)
        assert [core["number"] for core in readings["cores"]] == [7]
        assert readings["cores"][0]["governor"] == "schedutil"


def test_states_are_restored_and_no_temporary_file_stays(phones, bench):
    phone = phones()
    phone.path("settings/stay_on_while_plugged_in").write_text("3\n")
    bench()
    assert phone.setting("airplane_mode_on") == "0"
    assert phone.setting("stay_on_while_plugged_in") == "3"
    assert "Asleep" in phone.path("dumpsys/power").read_text()
    assert "airplane-mode enable" in (phone.root / "cmd.log").read_text()
    kept = {path.suffix for path in phone.path(FOLDER).iterdir()}
    assert kept == {"", ".tflite"}
    assert len(list(phone.path(FOLDER).iterdir())) == 3


@pytest.mark.parametrize("timeout_ms", ["30000", None])
def test_the_screen_of_a_phone_on_its_battery_stays_on_and_gets_its_timeout_back(phones, bench, timeout_ms):
    phone = phones()
    phone.battery(celsius=28.0, powered=False)
    timeout = phone.path("settings/screen_off_timeout")
    if timeout_ms:
        timeout.write_text(f"{timeout_ms}\n")
    code, _, records = bench()
    assert code == 0
    assert any("settings put system screen_off_timeout 2147483647" in command for command in phone.commands)
    assert (timeout.read_text().strip() if timeout.exists() else None) == timeout_ms
    assert not conditions(records[FIRST])[0]["before"]["powered"]


def test_the_timeout_of_a_phone_that_is_powered_is_left_alone(phones, bench):
    phone = phones()
    bench()
    assert not any("screen_off_timeout 2147483647" in command for command in phone.commands)


def test_what_a_powered_phone_left_does_not_keep_its_screen_from_being_held_on_its_battery(phones, bench):
    phone = phones()
    phone.path(FOLDER).mkdir(parents=True)
    phone.path(f"{FOLDER}/state").write_text("stay=3\nairplane=0\n  mWakefulness=Asleep\n")
    phone.path("settings/screen_off_timeout").write_text("30000\n")
    phone.battery(celsius=28.0, powered=False)
    bench()
    assert any("settings put system screen_off_timeout 2147483647" in command for command in phone.commands)
    assert (phone.setting("screen_off_timeout"), phone.setting("stay_on_while_plugged_in")) == ("30000", "3")


def test_the_run_after_one_that_lost_a_phone_on_its_battery_gives_the_timeout_back(phones, bench, server):
    phone = phones()
    phone.battery(celsius=28.0, powered=False)
    phone.path("settings/screen_off_timeout").write_text("30000\n")
    phone.faults.append("unplug_run")
    bench(reconnect_s=0.5)
    assert phone.setting("screen_off_timeout") == "2147483647"
    server.call("disconnect", phone.serial)
    phone.plug_in()
    server.connect(phone)
    phone.battery(celsius=28.0)  # in the meantime it was charged, and still is
    bench()
    assert phone.setting("screen_off_timeout") == "30000"


def brightness(phone):
    return phone.setting("screen_brightness"), phone.setting("screen_brightness_mode")


def test_the_screen_is_dim_while_it_measures_and_as_bright_as_before_afterwards(phones, bench):
    phone = phones()
    code, _, _ = bench()
    assert code == 0
    (held,) = [command for command in phone.commands if "put system screen_brightness 1;" in command]
    assert held.index("screen_brightness_mode 0") < held.index("screen_brightness 1")
    assert brightness(phone) == ("180", "1")


def test_a_brightness_that_was_never_set_is_none_again(phones, bench):
    phone = phones()
    phone.path("settings/screen_brightness").unlink()
    bench()
    assert not phone.path("settings/screen_brightness").exists()


def test_what_an_older_version_left_does_not_keep_the_screen_bright(phones, bench):
    phone = phones()
    phone.path(FOLDER).mkdir(parents=True)
    phone.path(f"{FOLDER}/state").write_text("stay=3\nairplane=0\n  mWakefulness=Asleep\n")
    bench()
    assert any("put system screen_brightness 1;" in command for command in phone.commands)
    assert brightness(phone) == ("180", "1")


@pytest.mark.parametrize("android", [8, 9])
def test_an_older_android_has_a_reading_less_and_no_error(phones, bench, android):
    phone = phones(android=android)
    code, stderr, records = bench()
    assert (code, without_progress(stderr)) == (0, [])
    for record in records.values():
        (table,) = conditions(record)
        assert "throttled" not in table
        assert (table["before"]["thermal_status"], table["before"]["airplane"]) == (None, False)
        assert table["before"]["battery_c"] == 28.0
        assert record.measurement.ran_on["android"] == str(android)
    assert phone.setting("airplane_mode_on") == "0"


def test_the_idle_temperature_that_it_was_held_to_is_in_the_record(phones, bench):
    phone = phones()
    phone.battery(celsius=26.0)
    _, _, records = bench()
    held = {(table["idle_c"], table["limit_c"]) for record in records.values() for table in conditions(record)}
    assert held == {(26.0, 31.0)}


def test_what_the_phone_has_is_not_pushed_again(phones, bench):
    phone = phones()
    bench()
    before = {path.name: path.stat().st_mtime_ns for path in phone.path(FOLDER).iterdir()}
    (damaged, *_) = phone.path(FOLDER).glob("*.tflite")
    damaged.write_bytes(b"damaged")
    code, _, _ = bench()
    after = {path.name: path.stat().st_mtime_ns for path in phone.path(FOLDER).iterdir()}
    assert code == 0
    assert [name for name in before if before[name] != after[name]] == [damaged.name]
    assert damaged.stat().st_size > 1000


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("crash", "crashed: SIGSEGV"),
        ("garbage", "no measured block"),
        ("decline", "delegate declined"),
        ("unconsumed", "does not know every flag"),
        ("unplug_push", "is gone"),
        ("unplug_run", "is gone"),
    ],
)
def test_a_fault_costs_one_network_its_number(phones, bench, server, fault, reason):
    phone = phones()
    phone.faults.append(fault)
    if fault.startswith("unplug"):
        threading.Thread(target=_plug_in_again, args=(phone, server), daemon=True).start()
    code, _, records = bench()
    assert code == 1
    assert reason in records[FIRST].reason
    assert records[FIRST].measurement is None
    assert records[SECOND].measurement is not None
    assert records[SECOND].reason is None


def _plug_in_again(phone, server):
    wait_for(lambda: not phone.plugged_in, 60)
    time.sleep(0.5)
    # In this order: a server that still knew the phone would come back by itself, only to be disconnected then.
    server.call("disconnect", phone.serial)
    phone.plug_in()
    server.connect(phone)


def test_a_hung_run_is_ended_on_the_phone_and_the_next_network_goes_on(phones, bench):
    phone = phones()
    phone.faults.append("hang")
    code, _, records = bench(max_s=1, grace_s=2)
    assert code == 1
    assert "hung for 3 s" in records[FIRST].reason
    assert records[SECOND].measurement is not None
    assert phone.tools_running() == 0


def test_a_phone_unplugged_in_a_run_that_stays_away_leaves_reasons(phones, bench):
    phone = phones()
    phone.faults.append("unplug_run")
    code, stderr, records = bench(reconnect_s=1)
    assert code == 1
    assert {record.measurement for record in records.values()} == {None}
    assert all("gone" in record.reason or "no usable adb device" in record.reason for record in records.values())
    assert records.keys() == {FIRST, SECOND}
    assert "not restored" in stderr


def test_the_run_after_an_unplugged_one_restores_what_that_could_not(phones, bench, server):
    phone = phones()
    phone.faults.append("unplug_run")
    bench(reconnect_s=0.5)
    assert phone.setting("airplane_mode_on") == "1"
    server.call("disconnect", phone.serial)  # first, or the server would come back by itself and then be disconnected
    phone.plug_in()
    server.connect(phone)
    code, _, _ = bench()
    assert code == 0
    assert phone.setting("airplane_mode_on") == "0"
    assert "Asleep" in phone.path("dumpsys/power").read_text()
    wait_for(lambda: phone.tools_running() == 0)


def test_no_room_is_told_and_the_smaller_network_goes_on(phones, bench, artifacts):
    phone = phones()
    jobs = [find_targets("pixel2")[0].job(*find(name)) for name in (FIRST, SECOND)]
    phone.free_bytes = min(Cache(artifacts).obtain(job).size_bytes for job in jobs)
    code, _, records = bench()
    assert code == 1
    reasons = [record.reason for record in records.values() if record.reason]
    assert len(reasons) == 1
    assert "No space left on device" in reasons[0]
    assert "adb shell rm -r /data/local/tmp/zennet-latency" in reasons[0]
    assert not list(phone.path(FOLDER).glob("*.part"))


def test_a_hot_phone_is_waited_for(phones, bench):
    phone = phones()
    phone.battery(celsius=41.0)

    def cool():
        # So many readings that the first wait has begun.
        wait_for(lambda: sum("dumpsys battery" in command for command in phone.commands) >= 8, 60)
        phone.battery(celsius=30.0)

    threading.Thread(target=cool, daemon=True).start()
    code, stderr, records = bench(cool_down_max_s=60)
    tables = [table for record in records.values() for table in conditions(record)]
    assert code == 0
    assert "41.0 °C, above 40 °C; cooling for" in stderr
    assert not any("throttled" in table for table in tables)
    assert max(table["waited_s"] for table in tables) >= 0.2  # two polls at least
    assert {table["before"]["battery_c"] for table in tables} == {30.0}


def test_a_phone_that_stays_hot_is_measured_and_marked(phones, bench):
    phone = phones()
    phone.battery(celsius=41.0)
    _, _, records = bench(cool_down_max_s=0.2)
    for record in records.values():
        assert {table["throttled"] for table in conditions(record)} == {"began at 41.0 °C, above 40 °C"}
        assert record.verdict.word == "throttled"


def test_a_visit_that_throttled_is_marked(phones, bench):
    phone = phones()
    phone.faults += ["none", "none", "throttle"]
    _, _, records = bench()
    reasons = [table.get("throttled") for record in records.values() for table in conditions(record)]
    assert "core 7 capped at 1.80 of 2.46 GHz after it" in reasons


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("overheat", "thermal status 3 at its end"),
        ("throttle", "core 7 capped at 1.80 of 2.46 GHz after it"),
        ("screen_off", "screen off at its end"),
    ],
)
def test_a_phone_that_changes_in_a_run_gives_the_verdict_throttled(phones, bench, fault, reason):
    phone = phones()
    phone.faults += ["none", "none", fault]  # after the one run of each network that comes first
    code, _, records = bench(cool_down_max_s=0.2)
    assert code == 0
    throttled = [record for record in records.values() if conditions(record)[0].get("throttled") == reason]
    assert throttled
    assert {record.verdict.word for record in throttled} == {"throttled"}
    assert all(record.measurement.estimate.number_s > 0 for record in records.values())  # the number stays, marked


def test_litert_s_own_tool_is_driven_and_read(phones, bench):
    phone = phones()
    code, stderr, records = bench(family="litert")
    assert (code, without_progress(stderr)) == (0, [])
    for record in records.values():
        (part,) = record.measurement.visits
        assert part.samples.seconds[0] == part.samples.evidence["mean_s"][0] > 1e-3  # it prints no median
        assert part.samples.evidence["count"][0] >= 3
        assert record.measurement.ran_on["tool"] == "litert"
    assert any("--use_cpu=true" in command for command in phone.commands)
    assert not any("--use_xnnpack" in command for command in phone.commands)


def test_litert_s_own_tool_must_run_the_whole_network_on_the_gpu(phones, bench):
    phone = phones()
    phone.faults.append("partial")
    code, _, records = bench(family="litert", delegate="gpu")
    assert code == 1
    assert "a part fell back to the CPU" in records[FIRST].reason
    assert records[SECOND].measurement.ran_on["delegate"] == "GPU, completely"
    assert any("--require_full_delegation=true" in command for command in phone.commands)


def test_ctrl_c_stops_the_tool_and_restores_the_phone(phones, command, server):
    phone = phones()
    phone.faults.append("hang")
    process = subprocess.Popen(command(grace_s=60), env=server.environment, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: phone.tools_running() == 1, 60)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in stderr
    wait_for(lambda: phone.tools_running() == 0)
    assert (phone.setting("airplane_mode_on"), *brightness(phone)) == ("0", "180", "1")
    assert not phone.path(f"{FOLDER}/run.pid").exists()


def test_what_an_owner_that_was_killed_left_on_the_phone_is_mended_by_the_next(phones, command, bench, server):
    phone = phones()
    phone.faults.append("hang")
    with subprocess.Popen(command(grace_s=600), env=server.environment, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: phone.tools_running() == 1, 60)
        process.kill()
    assert phone.tools_running() == 1
    assert phone.setting("airplane_mode_on") == "1"
    code, _, records = bench()
    assert code == 0
    assert records[FIRST].measurement is not None
    assert phone.tools_running() == 0
    assert (phone.setting("airplane_mode_on"), *brightness(phone)) == ("0", "180", "1")


def test_airplane_mode_that_a_killed_owner_left_is_off_for_one_that_does_not_ask_for_it(phones, bench):
    phone = phones()
    phone.path(FOLDER).mkdir(parents=True)
    phone.path(f"{FOLDER}/state").write_text("stay=3\nairplane=0\n  mWakefulness=Asleep\n")
    phone.path("settings/airplane_mode_on").write_text("1\n")
    code, _, records = bench(airplane='"never"')
    assert code == 0
    assert not any(table["before"]["airplane"] for record in records.values() for table in conditions(record))
    assert phone.setting("airplane_mode_on") == "0"


def test_no_phone_is_one_error_that_says_how_to_connect_one(bench, tmp_path):
    started = time.monotonic()
    code, stderr, records = bench()
    assert time.monotonic() - started < 10
    assert (code, records) == (1, {})
    assert stderr.count("\n") == 1
    assert "no adb device: connect one by cable with USB debugging on" in stderr
    assert not (tmp_path / "results").exists()


def test_a_phone_that_was_not_allowed_is_told(phones, bench):
    phone = phones(authorized=False)
    code, stderr, _ = bench()
    assert code == 1
    assert f"{phone.serial} is unauthorized; unlock it and accept its question" in stderr


def test_an_offline_phone_is_told(phones, bench):
    phone = phones()
    phone.unplug()
    code, stderr, _ = bench()
    assert code == 1
    assert f"{phone.serial} is offline; plug it in again" in stderr


def test_another_model_is_told_and_can_be_measured_as_android(phones, bench):
    phones(model="Pixel 4")
    code, stderr, _ = bench()
    assert code == 1
    assert "not a Pixel 2" in stderr
    assert "is a Pixel 4" in stderr
    code, _, records = bench(target="android")
    assert code == 0
    assert records[FIRST].measurement.ran_on["device"] == "Pixel 4"


def test_of_two_equal_phones_one_is_measured(phones, bench):
    both = [phones(), phones()]
    code, _, records = bench()
    assert code == 0
    assert all(record.measurement for record in records.values())
    assert sorted(phone.invocations > 0 for phone in both) == [False, True]


def test_of_two_phones_of_different_models_one_must_be_chosen_unless_the_target_says_which(phones, bench):
    first, second = phones(model="Pixel 4"), phones()
    code, stderr, _ = bench(target="android")
    assert code == 1
    assert first.serial in stderr
    assert second.serial in stderr
    assert "--device SERIAL" in stderr
    code, _, _ = bench()
    assert code == 0
    assert (first.invocations, second.invocations > 0) == (0, True)


def test_a_partial_gpu_delegate_is_no_number(phones, bench):
    phone = phones()
    phone.faults.append("partial")
    _, _, records = bench(delegate="gpu")
    assert "must run on the GPU" in records[FIRST].reason
    assert records[SECOND].measurement.ran_on["delegate"] == "GPU, completely"


def test_the_server_is_found_by_adb_s_own_variable(phones, command, server):
    phones()
    line = command()
    position = line.index("-P")
    del line[position : position + 2]
    environment = server.environment | {"ADB_SERVER_SOCKET": f"tcp:127.0.0.1:{server.port}"}
    done = subprocess.run(line, env=environment, cwd=ROOT, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0


def test_a_remote_server_that_does_not_answer_is_told(command, server):
    line = command("-H", "127.0.0.1")
    line[line.index("-P") + 1] = "1"
    done = subprocess.run(
        line, env=server.environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "no adb server" in done.stderr or "no adb device" in done.stderr
    assert os.linesep.join(done.stderr.splitlines()[1:]) == ""


@pytest.fixture
def profile(server, command):
    """Runs `python -m bench pixel2 --profile`; the ended process."""

    def run(**options):
        line = [sys.executable, "-m", "bench", "pixel2", "--profile", FIRST, *command(**options)[8:]]
        return subprocess.run(
            line, env=server.environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
        )

    return run


def test_a_profile_finds_the_time_in_the_super_blocks_and_leaves_the_phone_as_it_was(phones, profile):
    phone = phones()
    done = profile()
    assert (done.returncode, done.stderr) == (0, "")
    assert [word for word in ("CONV_2D", "0: conv k3 3-8", "1: res_idw k3 8-16") if word not in done.stdout] == []
    assert phone.setting("airplane_mode_on") == "0"


def test_a_run_that_fails_under_a_profile_is_one_error_and_the_phone_is_left_as_it_was(phones, profile):
    phone = phones()
    phone.faults += ["none", "crash"]  # after the one run that tells whether the network runs at all
    done = profile()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: can't profile {FIRST} on pixel2: benchmark_model crashed: SIGSEGV")
    assert done.stderr.count("\n") == 1
    assert phone.setting("airplane_mode_on") == "0"


def test_litert_s_own_tool_has_no_op_profile_and_the_phone_is_left_as_it_was(phones, profile):
    phone = phones()
    done = profile(family="litert")
    assert (done.returncode, done.stdout) == (1, "")
    assert "LiteRT's own benchmark_model" in done.stderr
    assert done.stderr.count("\n") == 1
    assert phone.setting("airplane_mode_on") == "0"
