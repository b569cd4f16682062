"""Duets and evaluations hold one device of a target, and leave it."""

import os
import subprocess
import sys
from contextlib import ExitStack

import msgspec
import pytest

from bench.accuracy.store import read_accuracies
from bench.duet.record import read_duets
from devices.runtime import runtime_of
from devices.targets import find_targets
from tests.bench.accuracy.drawing import draw
from tests.bench.conftest import TINY

OPTIONS = ["--option", 'devices=["a","b"]', "--option", 'device_factors={"a"=2.0}']
DUET = ["--model", "*t-B3", "--against", 'option:seconds={"*"=0.05}']


@pytest.fixture
def bench(tmp_path, artifacts):
    for number in range(3):
        draw(tmp_path / "photographs" / f"{number}.png", number)

    def run(*arguments):
        command = [sys.executable, "-m", "bench", "fake", *map(str, arguments), *OPTIONS]
        command += ["--results", str(tmp_path / "results"), "--artifacts", str(artifacts)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def hold(tmp_path, monkeypatch):
    monkeypatch.setenv("ZENNET_LEASES", str(tmp_path))
    (fake,) = find_targets("fake")
    target = msgspec.structs.replace(fake, options=fake.options | {"devices": ["a", "b"]})
    with ExitStack() as held:
        yield lambda: held.enter_context(runtime_of(target).hold(target)).device


def test_both_sides_of_a_duet_are_on_the_one_device_that_is_free(bench, hold, tmp_path):
    assert hold() == "a"
    ended = bench(*DUET)
    assert ended.returncode == 0, ended.stderr
    (found,) = read_duets(tmp_path / "results/duets/fake.jsonl")
    assert found.old.target.options["devices"] == found.new.target.options["devices"] == ["b"]


def test_an_evaluation_is_the_same_on_whichever_device_and_leaves_it(bench, hold, tmp_path):
    arguments = ["--model", TINY, "--accuracy", tmp_path / "photographs"]
    assert bench(*arguments).returncode == 0
    assert hold() == "a"
    ended = bench(*arguments)
    assert "this file has answered every image before" in ended.stderr
    (found,) = read_accuracies(tmp_path / "results")
    assert found.target.options["devices"] == ["a", "b"]


@pytest.mark.parametrize("arguments", [DUET, ["--model", TINY, "--accuracy", "{photographs}"]])
def test_where_all_are_held_one_line_says_by_whom(bench, hold, tmp_path, arguments):
    assert [hold(), hold()] == ["a", "b"]
    ended = bench(*(argument.replace("{photographs}", str(tmp_path / "photographs")) for argument in arguments))
    assert ended.returncode == 1
    (line,) = (line for line in ended.stderr.splitlines() if line.startswith("error: "))
    assert "every device of target fake is in use" in line
    assert f"b is held by pid {os.getpid()} of " in line
