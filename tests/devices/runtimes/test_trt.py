"""TensorRT's session: its engine and runtime with a TensorRT that does nothing; what needs a GPU is marked."""

import ctypes
import sys
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
import torch

from devices.nvidia import engine_session, preflight
from devices.runtimes import trt
from devices.targets import find_targets
from exporters.artifact import Artifact
from exporters.to_tensorrt import open_engine
from models import UserError
from system.gpu import Gpu


class TensorRT:
    """As much of the module as a plan with an FP16 input and FP32 logits needs; `log` says in which order."""

    __version__ = "10.16.1.11"
    Logger = type("Logger", (), {"ERROR": 1, "__init__": lambda self, severity: None})

    def __init__(self) -> None:
        self.log, self.addresses, self.accepts, self.context, self.plan = [], {}, True, True, True

    def Runtime(self, logger):
        return SimpleNamespace(deserialize_cuda_engine=lambda plan: self if plan and self.plan else None)

    num_io_tensors = 2

    def get_tensor_name(self, index):
        return ["images", "logits"][index]

    def get_tensor_dtype(self, name):
        return SimpleNamespace(name={"images": "HALF", "logits": "FLOAT"}[name])

    def get_tensor_shape(self, name):
        return {"images": (2, 3, 32, 32), "logits": (2, 1000)}[name]

    def get_tensor_mode(self, name):
        return SimpleNamespace(name={"images": "INPUT", "logits": "OUTPUT"}[name])

    def create_execution_context(self):
        return self if self.context else None

    def set_tensor_address(self, name, address):
        self.addresses[name] = address
        return True

    def execute_async_v3(self, stream):
        self.log.append(f"queue on {stream}")
        self._infer()
        return self.accepts

    def _infer(self):
        """The logits of each image are its mean, written where the context was told that they go."""
        images = _at(self.addresses["images"], np.float16, (2, 3, 32, 32))
        _at(self.addresses["logits"], np.float32, (2, 1000))[:] = images.astype(np.float32).mean(axis=(1, 2, 3))[
            :, None
        ]


def _at(address, dtype, shape):
    """The memory at an address, as an array."""
    memory = (ctypes.c_byte * (int(np.prod(shape)) * np.dtype(dtype).itemsize)).from_address(address)
    return np.frombuffer(memory, dtype=dtype).reshape(shape)


class Stream:
    cuda_stream = 77

    def synchronize(self):
        return None


class Event:
    def __init__(self, *, enable_timing):
        assert enable_timing

    def record(self, stream):
        assert isinstance(stream, Stream)

    def elapsed_time(self, end):
        return 3.0


@pytest.fixture
def tensorrt(monkeypatch):
    module = TensorRT()
    monkeypatch.setitem(sys.modules, "tensorrt", module)
    empty = torch.empty
    monkeypatch.setattr(torch, "empty", lambda shape, *, dtype, device: empty(shape, dtype=dtype).fill_(0.5))
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: module.log.append("synchronize"))
    return module


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "network.plan"
    path.write_bytes(b"plan")
    return path


def test_buffers_have_the_plans_types_and_the_context_has_their_addresses(tensorrt, plan):
    engine = open_engine(plan)
    assert (engine.input.dtype, tuple(engine.input.shape)) == (torch.float16, (2, 3, 32, 32))
    assert (engine.output.dtype, tuple(engine.output.shape)) == (torch.float32, (2, 1000))
    assert tensorrt.addresses == {"images": engine.input.data_ptr(), "logits": engine.output.data_ptr()}


def test_images_are_there_before_the_batch_is_queued_and_logits_after_it(tensorrt, plan):
    engine = open_engine(plan)
    images = np.random.default_rng(0).random((2, 3, 32, 32), dtype=np.float32)
    logits = engine.logits(images)
    assert engine.input.float().numpy() == pytest.approx(images, abs=1e-3)
    assert tensorrt.log == ["synchronize", "queue on 77"]
    assert logits == pytest.approx(images.mean(axis=(1, 2, 3))[:, None].repeat(1000, axis=1), rel=1e-3)


def test_a_plan_of_another_gpu_is_an_error(tensorrt, plan):
    tensorrt.plan = False
    with pytest.raises(UserError, match="a plan of another GPU or TensorRT"):
        open_engine(plan)


def test_a_batch_that_tensorrt_refuses_is_an_error(tensorrt, plan):
    tensorrt.accepts = False
    with pytest.raises(RuntimeError, match="could not queue"):
        open_engine(plan).queue()


def artifact_of(plan) -> Artifact:
    return Artifact(
        model="EfficientNet-B3",
        format="tensorrt",
        precision="int8",
        batch=2,
        path=str(plan),
        input_shape=(2, 3, 32, 32),
        sha256="",
        size_bytes=4,
        weights="seeded-1",
        made_by={},
        fidelity=None,
    )


@pytest.fixture
def target(monkeypatch):
    gpu = Gpu(name="Tesla T4", uuid="GPU-1", compute_capability=(7, 5), driver_cuda=(12, 4))
    monkeypatch.setattr(preflight, "find_gpu", lambda: gpu)
    watch = SimpleNamespace(start=lambda: None, facts=lambda: {"gpu": "Tesla T4"}, read=dict, close=lambda: None)
    monkeypatch.setattr(engine_session, "Watch", lambda uuid: watch)
    return msgspec.structs.replace(find_targets("t4")[0], batch=2)


def test_a_visit_queues_on_the_engines_stream_and_waits_once(tensorrt, plan, target):
    session = trt.open_session(artifact_of(plan), target)
    assert session.ran_on == {"tensorrt": "10.16.1.11", "input": "float16", "gpu": "Tesla T4"}
    tensorrt.log.clear()
    samples = session.run(3)
    assert tensorrt.log == ["queue on 77"] * 3 + ["synchronize"]
    assert samples.seconds == [3e-3] * 3
    assert len(samples.evidence["enqueue_s"]) == 3
    session.close()


def test_a_predictor_runs_where_the_session_does_and_answers_for_the_images_that_it_is_shown(tensorrt, plan, target):
    ran_on = trt.open_session(artifact_of(plan), target).ran_on
    predictor = trt.open_predictor(artifact_of(plan), target)
    assert predictor.ran_on == ran_on
    images = np.random.default_rng(0).random((2, 3, 32, 32), dtype=np.float32) * [[[[1]]], [[[2]]]]
    shown = images.astype(np.float32)
    first, swapped = predictor.predict(shown), predictor.predict(shown[::-1])
    assert first[:, 0] == pytest.approx(shown.mean(axis=(1, 2, 3)), rel=1e-3)
    assert (swapped == first[::-1]).all()
    assert (first[0] != first[1]).all()
    predictor.close()


@pytest.mark.parametrize("opening", [trt.open_session, trt.open_predictor])
def test_a_context_that_does_not_fit_is_a_reason_with_the_batch(tensorrt, plan, target, opening):
    tensorrt.context = False
    with pytest.raises(UserError, match="out of GPU memory at batch 2"):
        opening(artifact_of(plan), target)
