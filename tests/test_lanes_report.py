"""`make lanes-report`: what the one file holds, and what it must not hold."""

import json
import os
import re
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.records.record import Record
from tests.fake_phone.networks import FIRST, tiny_artifacts
from tests.fake_phone.phone import FakePhone, tool_for_this_machine
from tests.fake_phone.server import AdbServer
from tests.test_makefile import run_make, would_run
from tools.impersonal import impersonal, impersonal_json, personal_names

ROOT = Path(__file__).parents[1]
NAMES = {"/home/ada": "~", "ada": "USER", "engine-room": "HOST", "HT7950201234": "SERIAL", "192.168.1.7": "SERIAL"}


@given(st.lists(st.sampled_from([*NAMES, "ADA", "/home/ada/x", "data", " ", ".", ":", "\n", "_", "10.4.0", "é"])))
def test_no_name_is_left_as_a_word(parts):
    cleaned = impersonal("|".join(parts), NAMES)
    for word in cleaned.replace(".", "|").replace(":", "|").split("|"):
        assert word.lower() not in {name.lower() for name in NAMES}
    assert cleaned.count("data") == parts.count("data")


def test_of_json_the_strings_alone_are_changed_and_it_stays_json():
    line = json.dumps({"ada": 1.25, "path": "/home/ada/artifacts", "list": ["ran on ENGINE-ROOM", None, "cpu"]})
    found = json.loads(impersonal_json(line, NAMES))
    assert found == {"ada": 1.25, "path": "~/artifacts", "list": ["ran on HOST", None, "cpu"]}


def test_the_names_of_a_phone_include_its_number_and_its_address():
    names = personal_names(["192.168.1.7:5555", "adb-FA7AA1A00000-AbCdEf._adb-tls-connect._tcp"])
    assert {"192.168.1.7", "192.168.1.7:5555", "FA7AA1A00000"} <= names.keys()
    assert not {"", "/", "root"} & names.keys()


def report(target, out, *arguments, environment=os.environ):
    """The ended process and the file's content by name."""
    command = [sys.executable, "-m", "tools.lanes_report", target, "--out", str(out), *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False, timeout=300
    )
    if not out.exists():
        return done, {}
    with zipfile.ZipFile(out) as archive:
        return done, {name: archive.read(name).decode() for name in archive.namelist()}


def test_of_the_fake_target_it_holds_the_records_and_logs_and_nobody_s_name(tmp_path):
    home = tmp_path / "home/somebody"
    home.mkdir(parents=True)
    environment = os.environ | {"HOME": str(home), "LOGNAME": "somebody"}
    arguments = ["--model", "EfficientNet-B3", "--artifacts", str(home / "artifacts")]
    done, files = report("fake", tmp_path / "x.zip", *arguments, environment=environment)
    assert done.returncode == 0
    assert done.stdout.startswith(f"sweep passed; send back {tmp_path}/x.zip (")
    assert files.keys() == {"hardware.txt", "versions.txt", "sweep.txt", "fake.jsonl", "summary.json"}
    (record,) = map(json.loads, files["fake.jsonl"].splitlines())
    assert record["artifact"]["path"].startswith("~/artifacts/")
    assert "torch==" in files["versions.txt"]
    assert json.loads(files["summary.json"])["steps"]["sweep"]["code"] == 0
    everything = "".join(files.values())
    assert "somebody" not in everything
    assert str(ROOT) not in everything
    assert f'"{socket.gethostname()}"' not in everything


def test_a_sweep_that_fails_is_reported_too(tmp_path):
    done, files = report("fake", tmp_path / "x.zip", "--model", "no_such_network")
    assert done.returncode == 0
    assert done.stdout.startswith("sweep failed; send back ")
    assert "no such" in files["sweep.txt"]


def test_without_the_hardware_there_is_no_file_and_one_error(tmp_path):
    done, files = report("gpu-torch", tmp_path / "x.zip")
    assert (done.returncode, files) == (1, {})
    assert done.stderr.startswith("error: no lanes report of gpu-torch from here: ")


@pytest.fixture
def server(tmp_path):
    server = AdbServer(tmp_path / "adb")
    yield server
    server.close()


def test_of_a_phone_it_holds_the_marked_tests_a_sweep_and_its_properties_but_no_serial(
    tmp_path, server, tmp_path_factory
):
    phone = FakePhone(tmp_path / "phone")
    (phone.root / "props/ro.serialno").write_text("HT7950201234\n")
    server.connect(phone)
    twin = FakePhone(tmp_path / "twin")
    server.connect(twin)
    options = ["--option=runs=3", "--option=min_s=0.05", "--option=cool_down_poll_s=0.1", "-P", str(server.port)]
    options += ["--model", FIRST, "--artifacts", str(tiny_artifacts(tmp_path_factory)), "--budget", "5"]
    options += ["--benchmark-model", str(tool_for_this_machine(tmp_path)), "--max-visits", "4"]
    options += ["--tests", "tests/devices/runtimes/test_android_contract.py"]
    done, files = report("pixel2", tmp_path / "x.zip", *options, environment=server.environment)
    for each in (phone, twin):
        server.call("disconnect", each.serial)
        each.close()
    assert 0 in (phone.invocations, twin.invocations)
    assert done.returncode == 0
    assert "tests passed, sweep passed; send back" in done.stdout, files
    assert re.search(r"[1-9]\d* passed", files["tests.txt"]) and "failed" not in files["tests.txt"]
    assert "ro.product.model: Pixel 2" in files["hardware.txt"]
    assert "temperature: 280" in files["hardware.txt"]
    assert msgspec.json.decode(files["pixel2.jsonl"], type=Record).measurement.ran_on["device"] == "Pixel 2"
    everything = "".join(files.values())
    assert phone.serial not in everything
    assert twin.serial not in everything
    assert "HT7950201234" not in everything


@pytest.mark.parametrize(("target", "pins", "extra"), [("t4", "-t4", "nvidia-t4"), ("pixel2", "", "phone")])
def test_make_brings_the_target_s_environment_and_the_tests_packages(tmp_path, target, pins, extra):
    ran, _ = would_run("lanes-report", f"TARGET={target}", f"VENV={tmp_path}/venv", "ARGS=--device X")
    python = f"{tmp_path}/venv{pins}/bin/python"
    order = [ran.index(f"'.[{each}]'") for each in (extra, "gpu-test")]
    assert order == sorted(order) < [ran.index(f"{python} -m tools.lanes_report {target} --device X")]


def test_make_without_a_target_is_one_error():
    code, _, stderr = run_make("lanes-report")
    assert code != 0
    assert stderr.startswith("error: no target: give one whose hardware is here, for example make lanes-report")
