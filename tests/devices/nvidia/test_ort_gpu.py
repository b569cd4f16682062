"""ONNX Runtime's GPU providers: what they are told; that nothing may fall back is tried with what is here."""

import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import msgspec
import onnx
import onnxruntime
import pytest
import torch

from devices.nvidia import nvml, ort_gpu, ort_loading, ort_options, preflight
from devices.nvidia.explicit_pads import unequal_pads
from devices.nvidia.ort_options import engine_folder, provider_options
from devices.runtime import absence_of, runtime_of
from devices.runtimes import ort
from devices.targets import find_targets
from exporters.artifact import Job
from exporters.cache import Cache
from exporters.fidelity import measure_fidelity, source_logits
from exporters.to_onnx import halve
from models import UserError, find
from models.images import synthetic_images
from system.gpu import Gpu

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)@32"
T4 = Gpu(name="Tesla T4", uuid="GPU-1", compute_capability=(7, 5), driver_cuda=(12, 4))
GPU_PROVIDERS = ["TensorrtExecutionProvider", "CUDAExecutionProvider"]


def target(name):
    (target,) = find_targets(name)
    return target


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("artifacts")).obtain(target("cpu").job(find(TINY)[0]))


class Session(onnxruntime.InferenceSession):
    """The real session on the CPU, under the name of whichever provider was asked for; `asked` is what it was told."""

    def __init__(self, network, options, *, providers, enable_fallback, disabled_optimizers):
        ((self.asked_provider, self.asked),) = providers
        self.enable_fallback, self.imported = enable_fallback, set(sys.modules)
        self.batches = 0
        here = onnxruntime.SessionOptions()
        here.add_free_dimension_override_by_name("batch", 2)
        here.optimized_model_filepath = options.optimized_model_filepath
        super().__init__(network, here, providers=["CPUExecutionProvider"], disabled_optimizers=disabled_optimizers)

    def get_providers(self):
        return [self.asked_provider]

    def io_binding(self):
        real = super().io_binding()
        on_cpu = lambda bind: lambda name, device, *rest: bind(name, "cpu", *rest)  # noqa: E731
        self.bound = real
        return SimpleNamespace(bind_input=on_cpu(real.bind_input), bind_output=on_cpu(real.bind_output))

    def run_with_iobinding(self, binding, run_options):
        self.batches += 1
        super().run_with_iobinding(self.bound, run_options)


@pytest.fixture
def cuda(monkeypatch):
    """A T4 whose memory is this machine's; what is done in which order."""
    log, empty = [], torch.empty
    monkeypatch.setattr(preflight, "find_gpu", lambda: T4)
    watch = SimpleNamespace(start=lambda: log.append("watch"), facts=dict, close=lambda: None)
    monkeypatch.setattr(ort_gpu, "Watch", lambda uuid: watch)
    monkeypatch.setattr(torch, "empty", lambda shape, *, dtype, device: empty(shape, dtype=dtype))
    monkeypatch.setattr(torch.cuda, "Stream", lambda: SimpleNamespace(cuda_stream=1234))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: log.append("synchronize"))
    return log


@pytest.fixture
def gpu(cuda, monkeypatch, tmp_path):
    """That T4 with ONNX Runtime's GPU providers and TensorRT."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: GPU_PROVIDERS)
    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    (tmp_path / "tensorrt.py").write_text("__version__ = '10.16.1.11'\n")
    sys.path.insert(0, str(tmp_path))
    yield cuda
    sys.path.remove(str(tmp_path))  # alone: ONNX Runtime appends a folder of its own, once
    sys.modules.pop("tensorrt", None)


def opened(artifact, name, **options):
    aim = target(name)
    return ort.open_session(artifact, msgspec.structs.replace(aim, batch=2, options=aim.options | options))


def asked(artifact, name, **options):
    aim = target(name)
    return ort.open_predictor(artifact, msgspec.structs.replace(aim, batch=2, options=aim.options | options))


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_predictor_s_logits_are_those_of_the_images_that_it_is_shown_in_the_type_of_the_file(
    gpu, artifact, tmp_path, precision
):
    path = Path(artifact.path)
    if precision == "fp16":
        path = tmp_path / "half.onnx"
        halve(Path(artifact.path), path)
    predictor = asked(msgspec.structs.replace(artifact, path=str(path)), "v100")
    assert predictor._loaded._input.dtype == {"fp32": torch.float32, "fp16": torch.float16}[precision]
    for seed in (3, 4):
        shown = synthetic_images(2, 32, seed=seed)
        reference = source_logits(Job(model=find(TINY)[0], format="torch", precision="fp32"), shown)
        found = measure_fidelity(reference, predictor.predict(shown))
        assert (found.images, found.relative_error < {"fp32": 1e-5, "fp16": 1e-2}[precision]) == (2, True)
    batches = predictor._loaded._session.batches
    assert batches == 3  # the first run, whose images are the sessions', and one for each batch
    assert gpu[-2:] == ["synchronize"] * 2


def test_a_predictor_is_loaded_and_runs_where_its_session_does(gpu, asymmetric, monkeypatch):
    for name, options in (("v100", {}), ("gpu", {"explicit_pads": True}), ("t4-onnxruntime", {})):
        session, predictor = opened(asymmetric, name, **options), asked(asymmetric, name, **options)
        assert predictor.ran_on == session.ran_on
        told = [one._session.asked for one in (session._network, predictor._loaded)]
        # Where an engine is written on its way to the cache has another name each time.
        kept = [{key: value for key, value in table.items() if not key.endswith("_path")} for table in told]
        assert kept[0] == kept[1]
    CuDnnRefuses(monkeypatch, times=1)
    assert asked(asymmetric, "gpu").ran_on["explicit_pads"] == len(unequal_pads(onnx.load(asymmetric.path)))


def test_a_predictor_never_falls_back_either(cuda, artifact):
    with pytest.raises(UserError, match=r"v100 must run on CUDAExecutionProvider: .*; a fallback isn't timed"):
        asked(artifact, "v100")


def test_the_provider_gets_the_targets_options_and_our_stream(gpu, artifact):
    assert opened(artifact, "v100", tunable_op_enable=1)._network._session.asked == {
        "prefer_nhwc": "0",
        "tunable_op_enable": "1",
        "user_compute_stream": "1234",
    }
    assert opened(artifact, "v100", prefer_nhwc=True)._network._session.asked["prefer_nhwc"] == "1"
    told = opened(artifact, "t4-onnxruntime")._network._session.asked
    kept = {"trt_engine_cache_enable", "trt_engine_cache_path", "trt_timing_cache_enable", "trt_timing_cache_path"}
    assert {name: value for name, value in told.items() if name not in kept} == {
        "trt_int8_enable": "True",
        "trt_fp16_enable": "True",
        "user_compute_stream": "1234",
    }


def test_an_engine_is_kept_beside_the_file_and_no_other_one_is_taken_for_it(artifact, monkeypatch):
    aim = target("t4-onnxruntime")
    folder = engine_folder(artifact, aim, T4)
    assert str(folder).startswith(artifact.path.removesuffix(".onnx"))
    assert artifact.sha256[:12] in folder.name
    assert engine_folder(artifact, aim, T4) == folder
    replace = msgspec.structs.replace
    others = [
        (replace(artifact, sha256="0" * 64), aim, T4),
        (artifact, replace(aim, batch=1), T4),
        (artifact, replace(aim, options=aim.options | {"trt_fp16_enable": False}), T4),
        (artifact, aim, Gpu(name="RTX 2080", uuid="", compute_capability=(7, 5), driver_cuda=(12, 4))),
    ]
    folders = {folder, *(engine_folder(*other) for other in others)}
    monkeypatch.setattr(ort_options, "versions", lambda names: dict.fromkeys(names, "newer"))
    assert len(folders | {engine_folder(artifact, aim, T4)}) == 6
    assert engine_folder(artifact, target("v100"), T4) is None


def test_the_provider_keeps_engine_and_timings_there_unless_the_target_says_otherwise(tmp_path):
    aim = target("t4-onnxruntime")
    told = provider_options(aim, tmp_path)
    assert (told["trt_engine_cache_enable"], told["trt_timing_cache_enable"]) == ("True", "True")
    assert told["trt_engine_cache_path"] == told["trt_timing_cache_path"] == str(tmp_path)
    own = msgspec.structs.replace(aim, options=aim.options | {"trt_engine_cache_enable": False})
    assert provider_options(own, tmp_path)["trt_engine_cache_enable"] == "False"


class Building(Session):
    """Writes an engine where it is told to, as TensorRT's provider does; `fails` after that."""

    fails = False

    def __init__(self, *given, providers, **more):
        ((_, told),) = providers
        engine = Path(told["trt_engine_cache_path"]) / "tiny.engine"
        self.found = engine.exists()
        if not self.found:
            engine.write_bytes(b"half an engine" if self.fails else b"engine")
        if self.fails:
            raise RuntimeError("interrupted")
        super().__init__(*given, providers=providers, **more)


@pytest.fixture
def copied(artifact, tmp_path):
    """The artifact where no engine was built for it yet."""
    path = tmp_path / "network.onnx"
    path.write_bytes(Path(artifact.path).read_bytes())
    return msgspec.structs.replace(artifact, path=str(path))


def test_an_engine_is_built_once_and_lies_there_whole_or_not_at_all(gpu, copied, monkeypatch, tmp_path):
    monkeypatch.setattr(onnxruntime, "InferenceSession", Building)
    monkeypatch.setattr(Building, "fails", True)
    with pytest.raises(UserError, match="interrupted"):
        opened(copied, "t4-onnxruntime")
    assert [path.name for path in tmp_path.iterdir() if "-trt-" in path.name] == []
    monkeypatch.setattr(Building, "fails", False)
    (tmp_path / f".{built_at(copied).name}-killed").mkdir()
    assert not opened(copied, "t4-onnxruntime")._network._session.found
    assert (built_at(copied) / "tiny.engine").read_bytes() == b"engine"
    assert [path for path in tmp_path.iterdir() if "-trt-" in path.name] == [built_at(copied)]
    assert opened(copied, "t4-onnxruntime")._network._session.found


def built_at(artifact):
    return engine_folder(artifact, msgspec.structs.replace(target("t4-onnxruntime"), batch=2), T4)


def test_the_export_step_builds_the_engine_where_tensorrt_runs_it_and_nothing_elsewhere(gpu, copied, monkeypatch):
    assert [ort.preparation(target(name)) for name in ("cpu", "v100", "gpu")] == [None, None, None]
    monkeypatch.setattr(onnxruntime, "InferenceSession", Building)
    aim = msgspec.structs.replace(target("t4-onnxruntime"), batch=2)
    ort.preparation(aim)(copied, aim)
    assert (built_at(copied) / "tiny.engine").exists()
    monkeypatch.setattr(onnxruntime, "InferenceSession", None)
    ort.preparation(aim)(copied, aim)  # it is there: no session is opened


def test_tensorrt_is_imported_before_its_provider_loads_its_libraries(gpu, artifact):
    assert "tensorrt" not in opened(artifact, "v100")._network._session.imported
    assert "tensorrt" in opened(artifact, "t4-onnxruntime")._network._session.imported


def test_the_first_run_is_waited_for_before_anything_is_watched(gpu, artifact):
    session = opened(artifact, "v100")
    assert session._network._session.batches == 1
    assert gpu[-2:] == ["synchronize", "watch"]


def test_logits_that_are_not_finite_are_never_timed(gpu, artifact, tmp_path):
    model = onnx.load(artifact.path)
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == "float32":
            tensor.CopyFrom(onnx.numpy_helper.from_array(values * float("nan"), tensor.name))
    onnx.save(model, tmp_path / "ruined.onnx")
    with pytest.raises(UserError, match=r"wrong outputs: NaN or infinity in torch\.float32"):
        opened(msgspec.structs.replace(artifact, path=str(tmp_path / "ruined.onnx")), "v100")


def test_what_onnx_runtime_refuses_is_told_in_its_own_words_and_nothing_else_is_tried(cuda, artifact, tmp_path, capfd):
    """The real session, by a provider that is here and takes no node; its own fallback would try the CPU."""
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no protobuf")
    other = next(name for name in onnxruntime.get_available_providers() if name != "CPUExecutionProvider")
    with pytest.raises(UserError, match=f"{other} can't load the network: .*Protobuf parsing failed"):
        opened(msgspec.structs.replace(artifact, path=str(broken)), "v100", provider=other)
    with pytest.raises(UserError, match=f"v100 must run on {other}: .*fallback.*; a fallback isn't timed"):
        opened(artifact, "v100", provider=other)
    assert "Falling back" not in capfd.readouterr().out


def test_the_memory_that_a_session_lacks_is_named_with_the_batch(gpu, artifact, monkeypatch):
    def full(*_, **__):
        raise RuntimeError("Failed to allocate memory for requested buffer of size 1073741824")

    monkeypatch.setattr(onnxruntime, "InferenceSession", full)
    with pytest.raises(UserError, match=r"^out of GPU memory at batch 2: Failed to allocate"):
        opened(artifact, "v100")


@pytest.mark.parametrize("name", ["v100", "t4-onnxruntime", "gpu"])
def test_threads_are_no_option_of_a_gpu_and_every_other_one_is_its_providers(name, monkeypatch):
    monkeypatch.setattr(preflight, "find_gpu", lambda: "no NVIDIA driver")
    aim = target(name)
    threads, other = (
        msgspec.structs.replace(aim, options=aim.options | {option: 2}) for option in ("threads", "gpu_mem_limit")
    )
    assert "has no such option: 'threads'" in absence_of(threads)
    assert absence_of(other) == "no NVIDIA driver"


@pytest.mark.parametrize("name", ["v100", "t4-onnxruntime", "gpu"])
def test_a_gpu_has_no_profiler_since_onnx_runtimes_tells_the_hosts_times(name, artifact):
    with pytest.raises(UserError, match=f"no profiler for target {name}: .*; profile v100-torch, gpu-torch or t4"):
        ort.open_profiler(artifact, target(name))


def test_a_fallback_to_the_cpu_is_forbidden_and_the_batch_is_fixed():
    options = ort_loading.session_options(target("v100"))
    assert options.get_session_config_entry("session.disable_cpu_ep_fallback") == "1"


def test_onnx_runtime_refuses_a_session_whose_nodes_would_run_on_the_cpu(artifact):
    # The rule that GPU sessions rely on, seen with a provider that is here and takes nothing.
    options = ort_loading.session_options(target("v100"))
    available = onnxruntime.get_available_providers()
    other = next(name for name in available if name != "CPUExecutionProvider")
    with pytest.raises(Exception, match="fallback"):
        onnxruntime.InferenceSession(artifact.path, options, providers=[other])


@pytest.mark.parametrize("name", ["v100", "t4-onnxruntime"])
def test_a_provider_that_is_not_installed_is_an_error_that_says_what_is(name, artifact):
    aim = target(name)
    with pytest.raises(UserError, match=f"{name} must run on {aim.options['provider']}: .*CPUExecutionProvider"):
        ort.open_session(artifact, aim)


def test_a_gpu_has_memory_of_its_own_and_the_cpu_has_not(monkeypatch):
    def free_bytes(name):
        return runtime_of(target(name)).free_bytes(target(name))

    monkeypatch.setattr(preflight, "find_gpu", lambda: T4)
    watch = SimpleNamespace(free_bytes=lambda: 123)
    monkeypatch.setattr(nvml, "Watch", lambda uuid: nullcontext(watch))
    assert free_bytes("cpu") is None
    assert free_bytes("fake") is None
    assert {free_bytes(name) for name in ("v100", "v100-torch", "t4", "t4-onnxruntime", "gpu")} == {123}


@pytest.fixture(scope="module")
def asymmetric(artifact, tmp_path_factory):
    """The same network, its strided convolutions padded on two sides only, as EfficientNets are."""
    model, path = onnx.load(artifact.path), tmp_path_factory.mktemp("asymmetric") / "network.onnx"
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "pads" and list(attribute.ints) == [1, 1, 1, 1]:
                attribute.ints[:] = [0, 0, 2, 2]
    onnx.save(model, path)
    return msgspec.structs.replace(artifact, path=str(path))


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """The graph that the opened session runs, as ONNX Runtime wrote it down."""
    path, real = tmp_path / "ran.onnx", ort_loading.session_options

    def noted(aim):
        options = real(aim)
        options.optimized_model_filepath = str(path)
        return options

    monkeypatch.setattr(ort_loading, "session_options", noted)
    return lambda: onnx.load(path)


def test_explicit_pads_leave_no_convolution_that_pads_two_sides_differently(gpu, asymmetric, ran):
    count = len(unequal_pads(onnx.load(asymmetric.path)))
    assert count > 0
    session = opened(asymmetric, "gpu", explicit_pads=True)
    assert not unequal_pads(ran())
    assert Counter(node.op_type for node in ran().graph.node)["Pad"] == count
    assert session.ran_on["explicit_pads"] == count


def test_pads_stay_in_the_convolutions_unless_they_have_to_leave_them(gpu, asymmetric, ran):
    for name, options in (("gpu", {"explicit_pads": False}), ("gpu", {}), ("t4-onnxruntime", {})):
        session = opened(asymmetric, name, **options)
        assert unequal_pads(ran())
        assert "explicit_pads" not in session.ran_on | session._network._session.asked


class CuDnnRefuses:
    """Raises what ONNX Runtime does where cuDNN finds no plan for a convolution, in the first `times` runs."""

    def __init__(self, monkeypatch, times):
        self.runs, real = 0, ort_gpu.OrtGpuNetwork._run_once

        def run_once(network, artifact):
            self.runs += 1
            if self.runs <= times:
                raise RuntimeError("running Conv node: CUDNN_FE failure 8: HEURISTIC_QUERY_FAILED")
            real(network, artifact)

        monkeypatch.setattr(ort_gpu.OrtGpuNetwork, "_run_once", run_once)


def test_where_cudnn_finds_no_plan_the_pads_leave_the_convolutions(gpu, asymmetric, ran, monkeypatch):
    CuDnnRefuses(monkeypatch, times=1)
    session = opened(asymmetric, "gpu")
    assert session.ran_on["explicit_pads"] == len(unequal_pads(onnx.load(asymmetric.path)))
    assert not unequal_pads(ran())


@pytest.mark.parametrize(
    ("equal", "options", "runs"), [(False, {"explicit_pads": False}, 1), (True, {}, 1), (False, {}, 2)]
)
def test_where_that_is_no_help_cudnns_own_reason_is_told(gpu, artifact, asymmetric, monkeypatch, equal, options, runs):
    refusing = CuDnnRefuses(monkeypatch, times=2)
    with pytest.raises(RuntimeError, match="HEURISTIC_QUERY_FAILED"):
        opened(artifact if equal else asymmetric, "gpu", **options)
    assert refusing.runs == runs


def test_a_network_of_equal_pads_is_loaded_as_it_lies_there(gpu, artifact, ran):
    assert "explicit_pads" not in opened(artifact, "gpu").ran_on
    assert not any(node.op_type == "Pad" for node in ran().graph.node)


@pytest.mark.gpu
def test_the_graph_that_the_cuda_provider_runs_has_its_pads_outside_of_convolutions(asymmetric, ran):
    session = opened(asymmetric, "gpu", explicit_pads=True)
    assert not unequal_pads(ran())
    assert len(session.run(3).seconds) == 3
    session.close()
