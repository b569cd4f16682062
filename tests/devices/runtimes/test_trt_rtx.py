"""The runtime of TensorRT for RTX: which GPUs it takes; its session is TensorRT's."""

import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest

from devices.nvidia import compatibility, engine_session, preflight
from devices.runtimes import trt_rtx
from devices.targets import find_targets
from exporters.artifact import Artifact
from system.gpu import Gpu

ADA = Gpu(name="NVIDIA GeForce RTX 4090", uuid="GPU-1", compute_capability=(8, 9), driver_cuda=(13, 0))


@pytest.fixture
def gpu(monkeypatch):
    """Sets the GPU that is here, with a TensorRT for RTX and a torch for it installed."""

    def put(gpu):
        monkeypatch.setattr(preflight, "find_gpu", lambda: gpu)
        monkeypatch.setattr(preflight, "absence", lambda target: preflight.mismatch(gpu, target.device))
        monkeypatch.setattr(compatibility, "torch_lacks", lambda gpu: None)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())

    return put


@pytest.mark.parametrize(
    ("target", "name", "capability", "says"),
    [
        ("rtx", "NVIDIA GeForce RTX 4090", (8, 9), None),
        ("rtx-int8", "NVIDIA RTX PRO 6000", (12, 0), None),
        ("rtx", "NVIDIA H100", (9, 0), "its plans are for compute capability 8.6 8.9 12.0: found NVIDIA H100, 9.0"),
        ("rtx", "Tesla T4", (7, 5), "its plans are for compute capability 8.6 8.9 12.0: found Tesla T4, 7.5"),
        ("t4-rtx", "Tesla T4", (7, 5), None),
    ],
)
def test_a_card_that_the_plans_are_not_for_is_refused(gpu, target, name, capability, says):
    gpu(Gpu(name, "GPU-1", capability, (13, 0)))
    assert trt_rtx.absence(find_targets(target)[0]) == says


def test_a_session_and_a_predictor_are_of_the_plan_and_name_the_version(gpu, monkeypatch, tmp_path):
    gpu(ADA)
    opened = []
    engine = SimpleNamespace(
        show=lambda images: None,
        input=SimpleNamespace(dtype="torch.float16"),
        logits=lambda images: images.sum(axis=(1, 2, 3))[:, None],
        close=lambda: opened.append("closed"),
    )
    watch = SimpleNamespace(start=lambda: None, facts=lambda: {"gpu": ADA.name}, close=lambda: None)
    monkeypatch.setattr(engine_session, "Watch", lambda uuid: watch)
    monkeypatch.setattr(trt_rtx, "open_engine", lambda path: opened.append(path) or engine)
    monkeypatch.setattr(trt_rtx, "library", lambda: SimpleNamespace(__version__="1.7.1.116"))
    artifact = Artifact(
        model="EfficientNet-B3",
        format="tensorrt_rtx",
        precision="fp16",
        batch=64,
        path=str(tmp_path / "a.plan"),
        input_shape=(64, 3, 8, 8),
        sha256="",
        size_bytes=4,
        weights="seeded-1",
        made_by={},
        fidelity=None,
    )
    session = trt_rtx.open_session(artifact, find_targets("rtx")[0])
    assert session.ran_on == {"tensorrt_rtx": "1.7.1.116", "input": "float16", "gpu": ADA.name}
    assert opened == [tmp_path / "a.plan"]
    predictor = trt_rtx.open_predictor(artifact, find_targets("rtx")[0])
    assert predictor.ran_on == session.ran_on
    images = np.arange(64 * 3 * 8 * 8, dtype=np.float32).reshape(64, 3, 8, 8)
    assert (predictor.predict(images)[:, 0] == images.sum(axis=(1, 2, 3))).all()
    predictor.close()
    assert opened == [tmp_path / "a.plan"] * 2 + ["closed"]
