"""What a host answers, with a real process for the answers."""

import subprocess

import msgspec
import pytest

import devices.fleet.inspector as inspector
from devices.fleet.inspection import Asked, Inspected, Wanted
from devices.fleet.inspector import Inspector
from devices.targets import find_targets
from tests.programs import write_program


def ask(*wanted):
    answer = Inspector().answer(msgspec.json.encode(Asked(wanted=list(wanted))))
    return msgspec.json.decode(answer, type=Inspected)


def want(found, environment="cpu", **fields):
    (target,) = find_targets(found)
    return Wanted(target=msgspec.structs.replace(target, **fields), environment=environment)


@pytest.fixture
def python(monkeypatch, tmp_path):
    """Makes a Python of some script's, which every environment has."""

    def make(script):
        path = write_program(tmp_path / "python", script)
        monkeypatch.setattr(inspector, "python_of", lambda environment: str(path))

    return make


def test_a_host_says_what_it_is_and_what_it_can_run():
    said = ask(want("fake"), want("fake", name="other", options={"nonsense": 1}), want("cpu", environment="unheard of"))
    reasons = {each.target: each.reason for each in said.absences}
    assert reasons["fake"] is None
    assert "nonsense" in reasons["other"]
    assert "unheard of" in reasons["cpu"]
    assert said.facts.cores >= 1
    assert said.facts.memory_bytes > 1e8


def test_what_was_said_before_a_python_hangs_counts(python, monkeypatch):
    monkeypatch.setattr(inspector, "LIMIT_S", 1.0)
    script = """
import sys, time
print('{"type":"Facts","cores":3,"memory_bytes":5,"gpus":[],"phones":[]}')
print('{"type":"Absence","target":"cpu","reason":null}')
print('{"type":"Abs', end="", flush=True)
time.sleep(60)
"""
    python(script)
    said = ask(want("cpu"), want("fake"))
    assert said.facts.cores == 3
    assert {each.target: each.reason for each in said.absences} == {
        "cpu": None,
        "fake": "not known: no answer within 1 s",
    }


def test_a_python_that_fails_says_why(python):
    python("import sys\nsys.exit('ImportError: no msgspec')\n")
    said = ask(want("cpu"))
    assert said.facts is None
    assert [each.reason for each in said.absences] == ["not known: ImportError: no msgspec"]


def test_a_python_that_is_no_program(monkeypatch):
    monkeypatch.setattr(inspector, "python_of", lambda environment: "/nowhere/python")
    assert [each.reason for each in ask(want("cpu")).absences] == ["not known: No such file or directory"]


def test_gpus_that_ray_hides_are_seen(monkeypatch):
    seen = {}

    def run(command, *, env, **others):
        seen.update(env)
        return subprocess.CompletedProcess(command, 0, b"", b"")

    monkeypatch.setattr(inspector.subprocess, "run", run)
    for hidden, expected in (("", None), ("1", "1")):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        seen.clear()
        ask(want("cpu"))
        assert seen.get("CUDA_VISIBLE_DEVICES") == expected
        assert seen["OMP_NUM_THREADS"] == "1"
