"""The study of TensorRT for RTX: its files, its layers and its limits, with a builder that builds nothing."""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest

from exporters import to_tensorrt_rtx
from exporters.cache import Cache
from models import UserError, find
from studies import tensorrt_rtx
from studies.tensorrt_rtx_layers import convolutions

HARMLESS = "Converting conv weight scales to fp32."
SMALL = "zennet-se:SuperConvK3BNRELU(3,16,2,1)SuperResIDWE2K3(16,32,2,32,1)@32"


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    return tmp_path_factory.mktemp("artifacts")


def network_file(artifacts, folder, precision) -> Path:
    return tensorrt_rtx.network_file(find(SMALL)[0], precision, Cache(artifacts), folder)


def test_each_convolution_is_a_network_of_its_own_by_kind(artifacts, tmp_path):
    path = network_file(artifacts, tmp_path, "int8-fp16-dense")
    found = convolutions(path, tmp_path)
    convs = [node for node in onnx.load(path).graph.node if node.op_type == "Conv"]
    assert Counter({kind: len(files) for kind, files in found.items()}).total() == len(convs)
    assert set(found) == {"dense INT8", "dense", "depthwise"}
    for kind, files in found.items():
        for file in files:
            layer = onnx.load(file)
            onnx.checker.check_model(layer, full_check=True)
            kinds = Counter(node.op_type for node in layer.graph.node)
            assert kinds == {"Conv": 1} | ({"QuantizeLinear": 2, "DequantizeLinear": 2} if "INT8" in kind else {})
            assert layer.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 64


@pytest.mark.parametrize(
    ("times", "capability", "code"), [(1.9, "8.6", 0), (2.1, "8.6", 1), (2.1, "7.5", 0), (5.1, "7.5", 1)]
)
def test_a_plan_that_is_too_large_fails_the_check(artifacts, monkeypatch, capsys, times, capability, code):
    def build(onnx_file, capabilities, *, width):
        assert (capabilities, width) == ((capability,), 8)
        return memoryview(np.zeros(int(times * onnx_file.stat().st_size), dtype=np.uint8)), [f" (node) {HARMLESS}"] * 2

    assert check(monkeypatch, artifacts, build, capability) == code
    shown = capsys.readouterr()
    assert shown.out.count(HARMLESS) == 1
    assert ("error: " in shown.err) == bool(code)


def test_a_warning_that_is_not_known_fails_the_check(artifacts, monkeypatch, capsys):
    def build(onnx_file, capabilities, *, width):
        return memoryview(b"plan"), ["a pair is left alone"]

    assert check(monkeypatch, artifacts, build, "8.6") == 1
    assert "fp16 for 8.6: a pair is left alone" in capsys.readouterr().err


def test_a_plan_that_is_refused_fails_the_check_with_the_reason(artifacts, monkeypatch, capsys):
    def build(onnx_file, capabilities, *, width):
        raise UserError("can't build it", found="no kernel", fix="see above")

    assert check(monkeypatch, artifacts, build, "8.6") == 1
    assert "fp16 for 8.6: can't build it: no kernel" in capsys.readouterr().err


def check(monkeypatch, artifacts, build, capability) -> int:
    monkeypatch.setattr(to_tensorrt_rtx, "build", build)
    monkeypatch.setattr(tensorrt_rtx, "ProcessPoolExecutor", InThisProcess)
    command = ["x", SMALL, "--precision", "fp16", "--capability", capability, "--check", "--artifacts", str(artifacts)]
    monkeypatch.setattr(sys, "argv", command)
    return tensorrt_rtx.main()


class InThisProcess:
    """A pool without other processes."""

    def __init__(self, workers, context) -> None:
        self.map = map

    def __enter__(self):
        return self

    def __exit__(self, *raised) -> None:
        pass
