"""Formats as values, and the chain of files that a job takes: in order, each hashed and the network built once."""

import hashlib
import statistics
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path
from types import ModuleType, SimpleNamespace

import msgspec
import pytest
import torch

import exporters
from devices.targets import find_targets
from exporters import network, onnx_run, to_tensorrt, to_tflite
from exporters.artifact import Job
from exporters.cache import Cache, obtain_source
from exporters.format import Format
from exporters.formats import chain, find_format, formats
from models import UserError, find
from models.model import Model
from system.digest import sha256_of
from tests.exporters.test_to_tensorrt import TINY, Driver

T4 = {"format": "tensorrt", "precision": "int8", "batch": 2}


def job(**changes) -> Job:
    return Job(**{"model": find(TINY)[0]} | T4 | changes)


@pytest.mark.parametrize("name", formats())
def test_every_format_is_a_frozen_value(name):
    with pytest.raises(FrozenInstanceError):
        find_format(name).suffix = ".other"


@pytest.mark.parametrize(
    ("members", "says"),
    [({}, "no FORMAT"), ({"FORMAT": {"suffix": ".x"}}, "FORMAT is a dict"), ({"FORMAT": Format}, "FORMAT is a type")],
)
def test_a_module_without_a_format_is_one_error(monkeypatch, tmp_path, members, says):
    (tmp_path / "to_wrong.py").write_text("")
    monkeypatch.setattr(exporters, "__path__", [*exporters.__path__, str(tmp_path)])
    module = ModuleType("exporters.to_wrong")
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with pytest.raises(UserError, match=rf"exporters/to_wrong\.py defines no format: {says}; give it FORMAT = Format"):
        find_format("wrong")


def test_a_misspelt_member_is_refused_when_the_module_is_read():
    with pytest.raises(TypeError, match="sufix"):
        Format(precisions=("fp32",), sufix=".x", export=lambda job, source, path: None)  # type: ignore[call-arg]


def test_a_chain_begins_at_the_network_and_ends_at_the_job(monkeypatch):
    Driver(monkeypatch)
    steps = [(step.format, step.precision, step.batch) for step in chain(job())]
    assert steps == [
        ("onnx", "fp32", None),
        ("onnx_int8", "int8", None),
        ("onnx_int8", "int8", 2),
        ("tensorrt", "int8", 2),
    ]
    assert chain(job())[-1] == job()
    assert len(chain(job(format="torch", precision="fp32"))) == 1


@pytest.mark.parametrize("name", [name for name in formats() if find_format(name).default_batch])
def test_the_default_batch_is_that_of_most_targets(name):
    batches = [target.batch for target in find_targets("*") if target.format == name]
    assert statistics.mode(batches) == find_format(name).default_batch  # a Jetson's are single images


@pytest.fixture
def gpu(monkeypatch):
    """A TensorRT whose plan is the ONNX file itself, run by ONNX Runtime."""
    driver, built = Driver(monkeypatch), []

    def build(onnx_file, precision, timings):
        built.append((onnx_file, precision))
        return onnx_file.read_bytes(), b"timings"

    def open_engine(plan):
        return SimpleNamespace(logits=onnx_run.run_file(plan), close=lambda: None)

    monkeypatch.setattr(to_tensorrt, "build", build)
    monkeypatch.setattr(to_tensorrt, "open_engine", open_engine)
    driver.built = built
    return driver


@pytest.fixture
def counted(monkeypatch):
    """How often each network is built and each content hashed."""
    builds, digests = [], []
    real_build, real_digest = Model.build, hashlib.file_digest

    def build(model, weights=None):
        builds.append((model.name, weights))
        return real_build(model, weights)

    def file_digest(file, name):
        digest = real_digest(file, name)
        digests.append(digest.hexdigest())
        return digest

    network._build.cache_clear()
    monkeypatch.setattr(Model, "build", build)
    monkeypatch.setattr(hashlib, "file_digest", file_digest)
    return SimpleNamespace(builds=builds, digests=digests)


def test_a_plan_takes_one_build_and_one_hash_a_file(tmp_path, gpu, counted):
    weights = tmp_path / "weights.pth"
    torch.save(find(TINY)[0].build().state_dict(), weights)
    counted.builds.clear()
    cache, wanted = Cache(tmp_path / "artifacts"), job(weights=weights)
    plan = cache.obtain(wanted)
    assert counted.builds == [(TINY, weights)]
    files = [path for path in cache.root.rglob("*") if path.suffix in {".onnx", ".plan"}]
    assert len(files) == 4
    # The plan is the last ONNX file here, so that two of the five files have the same content.
    expected = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in (*files, weights))
    assert sorted(counted.digests) == expected
    assert cache.obtain(wanted) == cache.find(wanted) == plan
    assert (len(counted.digests), len(counted.builds), len(gpu.built)) == (5, 1, 1)
    assert gpu.built[0][0].name.startswith("int8-b2-")


def test_only_what_is_missing_of_a_chain_is_made(tmp_path, gpu, counted):
    cache = Cache(tmp_path)
    plan = cache.obtain(job())
    *_, dynamic, fixed, _ = (Path(cache.path(step)) for step in chain(job()))
    made = dynamic.stat().st_mtime_ns
    Path(cache.path(chain(job())[0])).unlink()
    fixed.unlink()
    assert cache.obtain(job()) == plan
    assert (dynamic.stat().st_mtime_ns, fixed.exists(), len(gpu.built)) == (made, True, 1)
    assert cache.find(chain(job())[0]) is None


def test_the_onnx_file_of_a_plan_is_found_from_its_artifact(tmp_path, gpu):
    cache = Cache(tmp_path)
    plan = cache.obtain(job())
    assert obtain_source(plan) == cache.find(chain(job())[-2])


def test_exports_leave_the_shared_network_as_it_was_built(tmp_path, counted):
    cache = Cache(tmp_path)
    for changes in ({"format": "onnx", "batch": None}, {"format": "torch", "batch": None}, {"format": "tflite"}):
        cache.obtain(job(precision="fp32", **changes))
    shared, fresh = network.torch_network(job()), find(TINY)[0].build()
    assert counted.builds.count((TINY, None)) == 2  # the exports' and this test's
    state = shared.state_dict()
    assert all(torch.equal(state[key], tensor) for key, tensor in fresh.state_dict().items())
    assert all(tensor.is_contiguous() for tensor in state.values())
    assert not any(module.training or module._forward_hooks or module._forward_pre_hooks for module in shared.modules())


def test_another_checkpoint_is_another_network(tmp_path):
    weights = tmp_path / "weights.pth"
    state = find(TINY)[0].build().state_dict()
    torch.save(state, weights)
    one = network.torch_network(job(weights=weights))
    assert network.torch_network(job(weights=weights)) is one
    torch.save({key: tensor * 2 for key, tensor in state.items()}, weights)
    assert network.torch_network(job(weights=weights)) is not one


def test_a_content_is_hashed_again_when_it_changes_only(tmp_path, counted):
    path = tmp_path / "file"
    for content in (b"one", b"two", b"one"):  # of one size, within one tick of the file system's clock
        path.write_bytes(content)
        assert {sha256_of(path), sha256_of(path)} == {hashlib.sha256(content).hexdigest()}
    path.rename(tmp_path / "moved")
    sha256_of(tmp_path / "moved")
    assert len(counted.digests) == 3


@pytest.mark.parametrize("format_", [to_tflite.FORMAT, to_tensorrt.FORMAT])
def test_a_dynamic_batch_is_one_error_where_files_have_a_fixed_one(format_):
    (name,) = (name for name in formats() if find_format(name) is format_)
    wanted = msgspec.structs.replace(job(batch=None), format=name)
    with pytest.raises(UserError, match=f"{name} files have a fixed batch: a dynamic one; give --batch N"):
        chain(wanted)
