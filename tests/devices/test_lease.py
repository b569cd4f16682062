"""Leases between real processes."""

import json
import os
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.lease import FOLDER_VARIABLE, Owner, first_free, owner_of
from devices.runtime import Held, runtime_of
from devices.targets import find_targets
from exporters.cache import Cache
from models import find
from system.errors import UserError

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
from devices.lease import first_free
with first_free(sys.argv[1:], of="bench", wrong="all are in use", fix="wait") as name:
    print(name, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture
def other():
    """Starts processes that hold the first free of some devices; each with the name that it got."""
    started = []

    def start(*devices):
        started.append(
            subprocess.Popen([sys.executable, "-c", HOLD, *devices], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        )
        return started[-1], started[-1].stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def free(*devices):
    return first_free(devices, of="bench", wrong="all are in use", fix="wait")


def fake(name, **options):
    (target,) = find_targets("fake")
    return msgspec.structs.replace(target, name=name, options=target.options | options)


def test_a_device_is_held_while_the_block_lasts_and_no_longer(folder):
    with free("a"):
        with pytest.raises(UserError, match=rf"all are in use: a is held by pid {os.getpid()} of .*; wait"), free("a"):
            pass
        assert owner_of("bench", "a").pid == os.getpid()
    assert owner_of("bench", "a") is None
    with free("a") as name:
        assert name == "a"
    assert [path.suffix for path in folder.iterdir()] == [".lock"]


def test_the_next_device_is_taken_where_the_first_is_held_by_another_process(other):
    process, name = other("a", "b")
    assert name == "a"
    with free("a", "b") as mine:
        assert mine == "b"
        with pytest.raises(UserError) as refused, free("a", "b"):
            pass
    said = str(refused.value)
    assert f"a is held by pid {process.pid} of " in said
    assert f"b is held by pid {os.getpid()} of " in said
    assert str(datetime.now(UTC).year) in said
    assert "\n" not in said


def test_equal_names_of_another_server_are_other_devices():
    with free("a"), first_free(["a"], of="another", wrong="", fix="") as name:
        assert name == "a"


def test_an_owner_that_was_killed_holds_nothing_and_is_no_longer_named(other, folder):
    process, _ = other("a")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert any(path.suffix == ".json" for path in folder.iterdir())
    assert owner_of("bench", "a") is None
    with free("a"):
        assert owner_of("bench", "a").pid == os.getpid()


def test_a_child_that_outlives_its_owner_does_not_keep_the_device():
    script = HOLD.replace("    print", "    import subprocess; subprocess.Popen(['sleep', '30'])\n    print")
    process = subprocess.Popen([sys.executable, "-c", script, "a"], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                               start_new_session=True)  # fmt: skip
    try:
        process.stdout.readline()
        process.kill()
        process.wait()
        with free("a") as name:
            assert name == "a"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()


def test_the_files_can_be_used_by_other_users_whatever_the_umask(folder):
    before = os.umask(0o077)
    try:
        with free("a"):
            modes = {path.suffix: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    finally:
        os.umask(before)
    assert modes == {".lock": 0o644, ".json": 0o644}


@pytest.mark.parametrize("what", ["link", "pipe", "folder"])
def test_what_is_no_regular_file_is_not_followed_nor_waited_for(folder, what):
    with free("a"):
        pass
    (lock,) = folder.iterdir()
    lock.unlink()
    victim = folder / "victim"
    victim.write_text("mine")
    match what:
        case "link":
            lock.symlink_to(victim)
        case "pipe":
            os.mkfifo(lock)
        case "folder":
            lock.mkdir()
    with pytest.raises(UserError, match=f"can't lock .*{FOLDER_VARIABLE}"), free("a"):
        pass
    assert victim.read_text() == "mine"


def test_facts_are_not_written_through_a_link(folder):
    with free("a"):
        (facts,) = (path for path in folder.iterdir() if path.suffix == ".json")
    victim = folder / "victim"
    victim.write_text("mine")
    facts.symlink_to(victim)
    with free("a"):
        assert owner_of("bench", "a").pid == os.getpid()
    assert victim.read_text() == "mine"


def test_a_missing_folder_is_told(monkeypatch, folder):
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder / "none"))
    with pytest.raises(UserError, match=r"can't lock .*: No such file"), free("a"):
        pass


facts = st.fixed_dictionaries(
    {},
    optional={
        "pid": st.integers() | st.none() | st.just(os.getpid()),
        "host": st.text() | st.integers(),
        "user": st.text() | st.just("\x1b[2J"),
        "since": st.text() | st.datetimes().map(str) | st.just("2026-11-26T22:00:00Z"),
        "command": st.text(max_size=10_000) | st.none(),
    },
).map(lambda table: json.dumps(table).encode())


@given(st.binary(max_size=300) | facts)
def test_whatever_the_facts_say_one_printable_line_names_who_holds_it(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("leases")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER_VARIABLE, str(folder))
        with free("a"):
            (path,) = (path for path in folder.iterdir() if path.suffix == ".json")
            path.write_bytes(content)
            with pytest.raises(UserError) as refused, free("a"):
                pass
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 1000


def test_the_facts_of_this_version_are_read_again():
    with free("a"):
        owner = owner_of("bench", "a")
    assert msgspec.json.decode(msgspec.json.encode(owner), type=Owner) == owner


def test_a_fake_device_is_held_by_its_name_with_a_clock_and_memory_of_its_own(tmp_path):
    options = {"device_factors": {"b": 2.0}, "memory_bytes": 10, "session_bytes": {"*": 10}}
    target = fake("fake-leased", seconds={"*": 0.25}, devices=["a", "b"], **options)
    artifact = Cache(tmp_path).obtain(target.job(find("*t-B3")[0]))
    runtime = runtime_of(target)
    with runtime.hold(target) as first, runtime.hold(target) as second:
        assert (first.device, second.device) == ("a", "b")
        assert first.target.options["devices"] == ["a"]
        with pytest.raises(UserError, match="every device of target fake-leased is in use: a is held by pid"):
            runtime.hold(target).__enter__()
        sessions = [runtime.open_session(artifact, each.target) for each in (first, second)]
        assert [session.run(2).seconds for session in sessions] == [[0.25, 0.25], [0.5, 0.5]]
        assert [runtime.now_s(each.target) for each in (first, second)] == [0.5, 1.0]
        sessions[0].close()
        assert [runtime.free_bytes(each.target) for each in (first, second)] == [10, 0]
        sessions[1].close()


def test_a_target_without_devices_of_its_own_is_held_by_any_number():
    target = fake("fake-alone")
    with runtime_of(target).hold(target) as first, runtime_of(target).hold(target) as second:
        assert first == second == Held(target, None)
