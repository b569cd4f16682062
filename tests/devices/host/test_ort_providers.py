"""ONNX Runtime's providers timed by the host's clock: where they run, what they are told, and that none falls back."""

import importlib.util
import platform
import sys
from types import SimpleNamespace

import msgspec
import onnxruntime
import pytest

from devices.host import ort_providers
from devices.host.ort_options import QNN, host_options
from devices.predict import predictor_of
from devices.runtime import absence_of, runtime_of
from devices.targets import find_targets
from devices.worker import open_here
from exporters.cache import Cache
from models import UserError, find
from models.images import synthetic_images

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)@32"


def target_named(name, **options):
    (target,) = find_targets(name)
    return msgspec.structs.replace(target, options=target.options | options)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("artifacts")).obtain(target_named("cpu").job(find(TINY)[0]))


@pytest.mark.parametrize(
    ("name", "system", "machine", "says"),
    [
        (
            "coreml",
            "linux",
            "x86_64",
            "Core ML is macOS's, this is linux x86_64; on a Mac `make bench-coreml` installs",
        ),
        ("coreml", "darwin", "arm64", "this onnxruntime has no CoreMLExecutionProvider; pip install onnxruntime"),
        (
            "qnn",
            "linux",
            "x86_64",
            "QNN runs on Qualcomm's ARM64 processors, this is linux x86_64; there `make bench-q",
        ),
        ("qnn", "linux", "aarch64", "no onnxruntime-qnn; `make bench-qnn` installs it"),
    ],
)
def test_where_a_provider_can_not_run_it_is_said_what_to_install(monkeypatch, name, system, machine, says):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if "qnn" in name else find_spec(name))
    assert absence_of(target_named(name)).startswith(says)


def test_on_its_own_system_a_provider_that_is_there_is_ready(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CoreMLExecutionProvider"])
    assert absence_of(target_named("coreml")) is None


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        (
            "coreml",
            {"compute_units": "CPUAndGPU"},
            {"MLComputeUnits": "CPUAndGPU", "ModelFormat": "MLProgram", "RequireStaticInputShapes": "1"},
        ),
        (
            "qnn",
            {},
            {"backend_type": "htp", "htp_performance_mode": "burst", "offload_graph_io_quantization": "0"},
        ),
        ("qnn", {"backend": "gpu"}, {"backend_type": "gpu", "offload_graph_io_quantization": "0"}),
    ],
)
def test_a_provider_is_told_what_its_documentation_names(name, options, told):
    assert host_options(target_named(name, **options)).told == told


def test_a_provider_that_is_not_in_this_onnxruntime_is_one_error_and_nothing_falls_back(artifact):
    with pytest.raises(UserError, match=r"coreml must run on CoreMLExecutionProvider: .*CoreML"):
        open_here(artifact, target_named("coreml"))


@pytest.fixture
def left_to_the_cpu(monkeypatch):
    """A provider that takes nothing: ONNX Runtime's real one that only calls a service."""
    monkeypatch.setattr(
        ort_providers, "add_provider", lambda settings, options: settings.add_provider("AzureExecutionProvider", {})
    )
    monkeypatch.setattr("devices.host.ort_network.add_provider", ort_providers.add_provider)


def test_a_node_that_a_provider_leaves_to_the_cpu_fails_the_network(left_to_the_cpu, artifact):
    with pytest.raises(UserError, match=r"coreml must run on CoreML.*fallback to CPU EP.*--option cpu_nodes=true"):
        open_here(artifact, target_named("coreml"))


def test_a_network_of_which_a_provider_takes_no_node_fails_even_where_the_cpu_may_help(left_to_the_cpu, artifact):
    with pytest.raises(UserError, match=r"coreml must run on CoreMLExecutionProvider: it took none of \d+ nodes"):
        open_here(artifact, target_named("coreml", cpu_nodes=True))


class Session(onnxruntime.InferenceSession):
    """The real session on the CPU, that says another provider took all but the last of its nodes."""

    def __init__(self, path, settings, *, enable_fallback):
        assert enable_fallback == 0
        assert settings.get_session_config_entry("session.disable_cpu_ep_fallback") == "0"
        here = onnxruntime.SessionOptions()
        here.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        here.add_free_dimension_override_by_name("batch", 1)
        super().__init__(path, here, providers=["CPUExecutionProvider"])

    def get_provider_graph_assignment_info(self):
        parts = super().get_provider_graph_assignment_info()
        names = [QNN] * (len(parts) - 1) + ["CPUExecutionProvider"]
        return [
            SimpleNamespace(ep_name=name, get_nodes=each.get_nodes) for name, each in zip(names, parts, strict=True)
        ]


def test_qnn_is_registered_by_its_library_once_and_the_record_says_how_many_nodes_it_took(monkeypatch, artifact):
    registered, added = [], []
    npu, other = (
        SimpleNamespace(ep_name=QNN, device=SimpleNamespace(type=SimpleNamespace(name=kind))) for kind in ("NPU", "CPU")
    )
    settings = onnxruntime.SessionOptions
    monkeypatch.setitem(sys.modules, "onnxruntime_qnn", SimpleNamespace(get_library_path=lambda: "/lib/qnn.so"))
    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    monkeypatch.setattr(onnxruntime, "get_ep_devices", lambda: [other, npu] if registered else [])
    monkeypatch.setattr(
        onnxruntime, "register_execution_provider_library", lambda *given: registered.append(given), raising=False
    )
    monkeypatch.setattr(settings, "add_provider_for_devices", lambda self, *given: added.append(given))
    target = target_named("qnn", cpu_nodes=True, threads=1)
    predictors = [predictor_of(artifact, target) for _ in range(2)]
    assert registered == [(QNN, "/lib/qnn.so")]
    assert [devices for devices, _ in added] == [[npu], [npu]]
    found = predictors[0].ran_on
    assert found["nodes"] >= 1
    assert found | {"nodes": 0} == {
        **{"provider": QNN, "device": "NPU", "nodes": 0, "cpu_nodes": 1, "threads": 1},
        **{"backend_type": "htp", "htp_performance_mode": "burst", "offload_graph_io_quantization": "0"},
    }
    assert predictors[0].predict(synthetic_images(1, 32)).shape == (1, 1000)
    for predictor in predictors:
        predictor.close()


def test_qnn_without_a_device_is_one_error(monkeypatch, artifact):
    monkeypatch.setitem(sys.modules, "onnxruntime_qnn", SimpleNamespace(get_library_path=lambda: "/lib/qnn.so"))
    monkeypatch.setattr(onnxruntime, "register_execution_provider_library", lambda *given: None, raising=False)
    with pytest.raises(UserError, match="QNN finds no device"):
        open_here(artifact, target_named("qnn"))


@pytest.mark.parametrize("name", ["coreml", "qnn"])
def test_a_provider_that_makes_one_operator_of_all_has_no_profiler(name, artifact):
    target = target_named(name)
    with pytest.raises(UserError, match=f"no profiler for target {name}: .* makes one operator of the whole network"):
        runtime_of(target).open_profiler(artifact, target)
