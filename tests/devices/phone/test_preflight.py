"""Whether a phone can be here, asked with bare Python: of a real adb server with fake phones, and of a made-up /sys."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.phone import preflight
from tests.fake_phone.phone import FakePhone

ROOT = Path(__file__).parents[3]


@pytest.fixture
def phone(tmp_path, server):
    phone = FakePhone(tmp_path / "phone")
    server.connect(phone)
    yield phone
    server.call("disconnect", phone.serial)
    phone.close()


def ask(*arguments, **environment):
    """The exit code and stderr; -S: no installed package can be imported."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", "devices.phone.preflight", *arguments],
        cwd=ROOT, env={"HOME": "/nonexistent", "PATH": "/nonexistent"} | environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_a_server_without_a_phone_is_one_error_that_says_how_to_connect_one(server):
    begun_s = time.monotonic()
    code, stderr = ask("-P", str(server.port), "--model", "*latency*", "--budget", "300")
    assert time.monotonic() - begun_s < 10
    assert code == 1
    assert stderr.startswith("error: no phone to measure on: no adb device; connect one by cable")
    assert stderr.count("\n") == 1


def test_a_phone_is_found_wherever_the_server_is_named(server, phone):
    assert ask("-P", str(server.port)) == (0, "")
    assert ask(f"-P{server.port}", "-H", "127.0.0.1", "--device", phone.serial) == (0, "")
    assert ask("--option", f"adb_port={server.port}", "--option", 'adb_host="127.0.0.1"') == (0, "")
    assert ask(ADB_SERVER_SOCKET=f"tcp:127.0.0.1:{server.port}") == (0, "")
    assert ask(ANDROID_ADB_SERVER_PORT=str(server.port)) == (0, "")


def test_another_phone_than_the_one_asked_for_is_told(server, phone):
    code, stderr = ask("-P", str(server.port), "--device", "OTHER")
    assert code == 1
    assert f"no adb device OTHER, found {phone.serial}; choose one of those with --device SERIAL" in stderr


def test_a_phone_that_has_not_allowed_debugging_yet_is_there(tmp_path, server):
    phone = FakePhone(tmp_path / "shy", authorized=False)
    server.connect(phone)
    assert ask("-P", str(server.port)) == (0, "")
    server.call("disconnect", phone.serial)
    phone.close()


def test_a_remote_server_that_does_not_answer_is_told():
    code, stderr = ask("-H", "127.0.0.2", "-P", "1")
    assert code == 1
    assert "no adb server at 127.0.0.2:1; start it there: adb -a nodaemon server start" in stderr


def test_an_adb_on_the_path_is_asked_where_no_server_runs(tmp_path):
    program = tmp_path / "adb"
    for said, code in (("", 1), ("SERIAL\tdevice\n", 0)):
        program.write_text(f"#!/bin/sh\necho '* daemon started successfully'\nprintf 'List of devices\\n{said}\\n'\n")
        program.chmod(0o755)
        assert ask("-P", "1", PATH=f"{tmp_path}:{os.defpath}")[0] == code


@pytest.mark.parametrize(
    ("interface", "paired", "found"),
    [(("ff", "42", "01"), False, True), (("08", "06", "50"), False, False), (("08", "06", "50"), True, True)],
)
def test_without_any_adb_the_usb_devices_tell(tmp_path, monkeypatch, interface, paired, found):
    folder = tmp_path / "usb/1-1:1.0"
    folder.mkdir(parents=True)
    (tmp_path / "usb/1-1").mkdir()
    for name, value in zip(("Class", "SubClass", "Protocol"), interface, strict=True):
        (folder / f"bInterface{name}").write_text(f"{value}\n")
    if paired:
        (tmp_path / ".android").mkdir()
        (tmp_path / ".android/adb_known_hosts.pb").touch()
    monkeypatch.setattr(preflight, "_USB", tmp_path / "usb")
    monkeypatch.setattr(preflight.sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("ADB_SERVER_SOCKET", raising=False)
    said = preflight.absence(None, "1", None)
    assert (said is None) if found else said.startswith("no adb device; connect one")
    monkeypatch.setattr(preflight.sys, "platform", "darwin")  # nothing to look at there: go on
    assert preflight.absence(None, "1", None) is None


@pytest.mark.parametrize(
    ("host", "port", "environment", "address"),
    [
        (None, None, {}, ("127.0.0.1", 5037)),
        ("lab", None, {"ADB_SERVER_SOCKET": "tcp:other:1"}, ("lab", 5037)),
        (None, None, {"ADB_SERVER_SOCKET": "tcp:5038"}, ("127.0.0.1", 5038)),
        (None, None, {"ADB_SERVER_SOCKET": "tcp:lab:5038"}, ("lab", 5038)),
        (None, None, {"ADB_SERVER_SOCKET": "localfilesystem:/run/adb"}, None),
        (None, "5039", {"ANDROID_ADB_SERVER_ADDRESS": "lab"}, ("lab", 5039)),
        (None, "nonsense", {}, None),
    ],
)
def test_the_server_is_where_adb_would_look(host, port, environment, address):
    assert preflight.server_address(host, port, environment) == address


def test_an_answer_of_the_server_is_read():
    assert preflight.listed_phones(b"OKAY0000") == []
    assert preflight.listed_phones(b"OKAY0013HT1\tdevice\nX\toffline")[:1] == ["HT1"]
    assert preflight.listed_phones(b"FAIL0007unknown") is None
    wifi = "adb-FA7AA1A00000-AbCdEf (2)._adb-tls-connect._tcp"
    assert preflight.listed_phones(f"OKAY{len(wifi) + 8:04x}{wifi}\tdevice\n".encode()) == [wifi]


@given(st.binary() | st.binary().map(lambda tail: b"OKAY" + tail) | st.binary().map(lambda tail: b"OKAY0010" + tail))
def test_any_answer_is_a_list_or_none(answer):
    assert preflight.listed_phones(answer) is None or isinstance(preflight.listed_phones(answer), list)


@given(st.none() | st.text(), st.none() | st.text(), st.text() | st.from_regex(r"tcp:.*:\d+"))
def test_any_address_is_a_port_or_none(host, port, socket):
    found = preflight.server_address(host, port, {"ADB_SERVER_SOCKET": socket})
    assert found is None or 0 <= found[1] < 65536
