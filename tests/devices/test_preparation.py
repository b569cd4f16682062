"""What sessions need beside their files is made after the exports, one at a time, each in a process of its own."""

import dataclasses
import os
from pathlib import Path

import pytest

from devices import preparation
from devices.preparation import prepared
from devices.runtime import runtime_of
from devices.targets import find_targets
from exporters.artifact import Job
from exporters.cache import Cache
from models import UserError, find
from system.child import Failure


def build(artifact, target) -> None:
    """Writes down which process built for which target; one network can't be built."""
    if artifact.model == "EfficientNet-B5":
        raise UserError("TensorRT can't build it", found="no kernel", fix="another GPU")
    Path(artifact.path).with_suffix(".built").write_text(f"{target.name} {os.getpid()}")


@pytest.fixture
def exported(tmp_path):
    jobs = [Job(model=model, format="fake", precision="fp32") for model in find("EfficientNet-B[356]")]
    pairs = [(job, Cache(tmp_path).obtain(job)) for job in jobs]
    return [*pairs, (Job(model=find("*latency01ms*")[0], format="fake", precision="fp32"), Failure("no file"))]


def test_each_file_is_built_for_in_a_process_of_its_own_and_a_failure_is_the_networks_own(exported, monkeypatch):
    (target,) = find_targets("fake")
    runtime = dataclasses.replace(runtime_of(target), preparation=lambda target: build)
    monkeypatch.setattr(preparation, "runtime_of", lambda target: runtime)
    outcomes = dict(prepared(target, iter(exported)))
    assert outcomes == dict(exported) | {exported[1][0]: Failure("TensorRT can't build it: no kernel; another GPU")}
    built = [Path(artifact.path).with_suffix(".built") for _, artifact in (exported[0], exported[2])]
    names, processes = zip(*(path.read_text().split() for path in built), strict=True)
    assert names == ("fake", "fake")
    assert len({os.getpid(), *map(int, processes)}) == 3


def test_a_runtime_that_prepares_nothing_hands_on_each_export_as_it_ends(exported):
    (target,) = find_targets("fake")
    waiting = iter(exported)
    assert next(prepared(target, waiting)) == exported[0]
    assert next(waiting) == exported[1]
