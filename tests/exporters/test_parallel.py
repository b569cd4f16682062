"""Exports in child processes: one that fails, crashes or eats the memory costs its own item only."""

import os
import signal
import time

import pytest

from exporters.artifact import Artifact, Job
from exporters.parallel import obtain_all
from models import UserError, find
from system.child import Failure, run_each


def behave(what: str) -> str:
    if what == "user error":
        raise UserError("wrong", found="this", fix="do that")
    if what == "bug":
        raise ZeroDivisionError("division by zero")
    if what == "no memory":
        raise MemoryError
    if what == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "exit":
        os._exit(3)
    if what == "slow":
        time.sleep(60)
    print("noise on stdout")
    return what.upper()


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("user error", "wrong: this; do that"),
        ("bug", "ZeroDivisionError: division by zero"),
        ("no memory", "out of memory"),
        ("killed", "killed, most likely out of memory"),
        ("crash", "crashed (SIGSEGV)"),
        ("exit", "ended without an answer (exit code 3)"),
    ],
)
def test_each_way_to_fail_has_its_reason_and_the_others_go_on(what, reason):
    outcomes = dict(run_each(behave, ["fine", what, "also fine"], at_once=2, preload=[]))
    assert outcomes == {"fine": "FINE", what: Failure(reason), "also fine": "ALSO FINE"}


def test_leaving_early_ends_the_children():
    begun = time.monotonic()
    for item, _ in run_each(behave, ["fine", "slow"], at_once=2, preload=[]):
        assert item == "fine"
        break
    assert time.monotonic() - begun < 30


def test_cached_artifacts_come_without_a_process(tmp_path):
    jobs = [Job(model=model, format="fake", precision="fp32") for model in find("*latency0*")]
    made = dict(obtain_all(jobs, tmp_path))
    assert all(isinstance(artifact, Artifact) for artifact in made.values())
    assert dict(obtain_all(jobs, tmp_path)) == made
    assert list(made) != []


def test_a_folder_that_can_not_be_written_is_one_error_before_anything_starts(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can't write artifacts into"):
        next(obtain_all([Job(model=find("EfficientNet-B3")[0], format="fake", precision="fp32")], tmp_path / "file"))
