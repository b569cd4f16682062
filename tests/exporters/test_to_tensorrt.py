"""Plans: our use of TensorRT's API against its real bindings, version by version; what needs a GPU is marked."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from exporters import tensorrt_builder, to_tensorrt
from exporters.artifact import Job
from exporters.cache import Cache
from models import UserError, find
from system.gpu import Gpu
from tests.tensorrt_bindings import ROOT, VERSIONS, Bindings

TINY = "zennet-se:SuperConvK3BNRELU(3,16,2,1)SuperResIDWE2K3(16,32,2,32,1)@32"
OURS = (
    "exporters/tensorrt_builder.py",
    "exporters/to_tensorrt.py",
    "exporters/tensorrt_engine.py",
    "devices/nvidia/engine_session.py",
    "devices/runtimes/trt.py",
)
REMOVED_IN_11 = (
    "NetworkDefinitionCreationFlag.EXPLICIT_BATCH",
    "BuilderFlag.FP16",
    "BuilderFlag.INT8",
    "IBuilderConfig.int8_calibrator",
)

# A builder that builds nothing: it writes down what it was asked for. Everything else is the real module's.
BUILD = """
import json, sys
from pathlib import Path
import tensorrt as trt
from exporters import to_tensorrt

seen = {"flags": [], "version": trt.__version__}

class Cache:
    def serialize(self):
        return b"new timings"

class Config:
    def set_flag(self, flag):
        assert isinstance(flag, trt.BuilderFlag)
        seen["flags"].append(flag.name)
    def create_timing_cache(self, timings):
        seen["timings"] = timings.decode()
        return Cache()
    def set_timing_cache(self, cache, ignore_mismatch):
        seen["ignore_mismatch"] = ignore_mismatch

class Builder:
    def __init__(self, logger):
        assert isinstance(logger, trt.ILogger)
        self.logger = logger
    def create_network(self, flags=0):
        seen["creation"] = flags
        return "network"
    def create_builder_config(self):
        return Config()
    def build_serialized_network(self, network, config):
        seen["verbosity"] = config.profiling_verbosity.name
        if "fail" in sys.argv:
            self.logger.log(trt.ILogger.Severity.WARNING, "a warning")
            self.logger.log(trt.ILogger.Severity.ERROR, "Error Code 9: Target GPU SM 70 is not supported")
            return None
        return memoryview(b"plan")

class Parser:
    num_errors = 1
    def __init__(self, network, logger):
        assert network == "network"
    def parse(self, content):
        seen["onnx"] = content.decode()
        return True

trt.Builder, trt.OnnxParser = Builder, Parser
try:
    built = to_tensorrt.build(Path(sys.argv[1]), sys.argv[2], b"old timings")
    seen["built"] = [part.decode() for part in built]
except to_tensorrt.UserError as error:
    seen["error"] = str(error)
print(json.dumps(seen))
"""


@pytest.fixture(scope="module", params=VERSIONS)
def bindings(request, tmp_path_factory):
    return Bindings(request.param, tmp_path_factory.mktemp("bindings"))


@pytest.fixture(scope="module")
def stubs(bindings, tmp_path_factory):
    return bindings.stubs(tmp_path_factory.mktemp("stubs"))


def is_11(bindings) -> bool:
    return bindings.version.startswith("11.")


def type_check(stubs: Path, *files: str) -> str:
    configuration = stubs / "mypy.ini"
    configuration.write_text(
        "[mypy]\nstrict = true\nwarn_unused_ignores = false\ndisallow_untyped_calls = false\nfollow_imports = silent\n"
        "[mypy-torch.*,onnx.*,numpy.*,timm.*,msgspec.*]\nfollow_imports = skip\nignore_missing_imports = true\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", configuration, "--cache-dir", stubs / "cache", *files],
        cwd=ROOT,
        env={"MYPYPATH": str(stubs), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    *lines, summary = done.stdout.splitlines()
    assert f"checked {len(files)} source file" in summary  # the stubs have errors of their own
    return "\n".join(line for line in lines if ".pyi:" not in line and " error: " in line)


def test_the_bindings_import_without_tensorrt(bindings):
    assert bindings.run("-c", "import tensorrt; print(tensorrt.__version__)").strip() == bindings.version


def test_what_11_removed_is_gone_there_and_here_before(bindings):
    code = (
        "import sys, tensorrt\n"
        "for name in sys.argv[1:]:\n"
        "  owner, attribute = name.split('.')\n"
        "  print(hasattr(getattr(tensorrt, owner), attribute))"
    )
    assert set(bindings.run("-c", code, *REMOVED_IN_11).split()) == {str(not is_11(bindings))}


def test_our_files_type_check_against_the_real_api(stubs):
    assert type_check(stubs, *OURS) == ""


def test_the_type_check_can_fail(bindings, stubs, tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "import tensorrt as trt\nprint(trt.BuilderFlag.INT8)\ntrt.Runtime(trt.Logger()).execute_async_v2(1)\n"
    )
    report = type_check(stubs, str(wrong))
    assert '"Runtime" has no attribute "execute_async_v2"' in report
    assert ('"type[BuilderFlag]" has no attribute "INT8"' in report) == is_11(bindings)


@pytest.mark.parametrize("precision", to_tensorrt.FORMAT.precisions)
def test_one_path_builds_with_every_version(bindings, tmp_path, precision):
    onnx_file = tmp_path / "network.onnx"
    onnx_file.write_text("the network")
    seen = json.loads(bindings.run("-c", BUILD, str(onnx_file), precision))
    weakly = {"int8": ["FP16", "INT8"], "fp16": ["FP16"], "fp32": []}[precision]
    assert seen == {
        "version": bindings.version,
        "flags": [] if is_11(bindings) else weakly,
        "creation": 0 if is_11(bindings) else 1,  # EXPLICIT_BATCH
        "timings": "old timings",
        "ignore_mismatch": False,
        "verbosity": "DETAILED",
        "onnx": "the network",
        "built": ["plan", "new timings"],
    }


def test_a_failed_build_says_why(bindings, tmp_path):
    onnx_file = tmp_path / "network.onnx"
    onnx_file.write_text("the network")
    seen = json.loads(bindings.run("-c", BUILD, str(onnx_file), "int8", "fail"))
    assert f"TensorRT {bindings.version} can't build {onnx_file}: Error Code 9: Target GPU SM 70" in seen["error"]
    assert "built" not in seen


def test_int8_starts_from_the_network_that_the_version_can_read(bindings):
    code = (
        "from exporters import to_tensorrt; from exporters.artifact import Job; from models import find\n"
        "import sys; model = find(sys.argv[1])[0]\n"
        "for p in to_tensorrt.FORMAT.precisions:\n"
        "  job = to_tensorrt.source(Job(model=model, format='tensorrt', precision=p, batch=64))\n"
        "  print(job.format, job.precision, job.batch)"
    )
    int8 = "int8-fp16" if is_11(bindings) else "int8"
    assert bindings.run("-c", code, TINY).splitlines() == [f"onnx_int8 {int8} 64", "onnx fp16 64", "onnx fp32 64"]


def parser_error(**more) -> SimpleNamespace:
    values = {
        "node": 7,
        "desc": "no importer",
        "code": "UNSUPPORTED_NODE",
        "file": "a.cpp",
        "line": 3,
        "func": "f",
    } | more
    return SimpleNamespace(**{name: (lambda value=value: value) for name, value in values.items()})


@pytest.mark.parametrize(
    ("more", "node"), [({}, "node 7:"), ({"node_name": "conv1", "node_operator": "Conv"}, "node 7 conv1 Conv:")]
)
def test_every_parser_error_is_shown_whole_with_its_node(tmp_path, capsys, more, node):
    onnx_file = tmp_path / "network.onnx"
    onnx_file.write_bytes(b"")
    errors = [parser_error(**more), parser_error(desc="x" * 500)]
    parser = SimpleNamespace(parse=lambda content: False, num_errors=2, get_error=errors.__getitem__)
    with pytest.raises(UserError, match=f"TensorRT can't read .*{node} no importer"):
        tensorrt_builder.parse(parser, b"", onnx_file, "TensorRT")
    shown = capsys.readouterr().err.splitlines()
    assert shown == [
        f"{node} no importer [UNSUPPORTED_NODE, a.cpp:3 f]",
        f"node 7: {'x' * 500} [UNSUPPORTED_NODE, a.cpp:3 f]",
    ]


def job(**changes) -> Job:
    return Job(**{"model": find(TINY)[0], "format": "tensorrt", "precision": "fp32", "batch": 2} | changes)


class Driver:
    """A GPU and a TensorRT that are here, as far as a key is concerned."""

    def __init__(self, monkeypatch) -> None:
        self.trt = SimpleNamespace(__version__="10.16.1.11", BuilderFlag=SimpleNamespace(__members__={"INT8": 1}))
        self.gpu = Gpu(name="Tesla T4", uuid="GPU-1", compute_capability=(7, 5), driver_cuda=(12, 4))
        monkeypatch.setattr(to_tensorrt, "_tensorrt", lambda: self.trt)
        monkeypatch.setattr(to_tensorrt, "find_gpu", lambda: self.gpu)


def test_a_plan_belongs_to_its_gpu_its_version_its_onnx_and_its_flags(tmp_path, monkeypatch):
    here, cache = Driver(monkeypatch), Cache(tmp_path)
    path = cache.path(job())
    assert path == cache.path(job())
    onnx_file = cache.obtain(to_tensorrt.source(job()))
    with_onnx = cache.path(job())
    assert with_onnx != path
    here.gpu = Gpu(name="Tesla V100", uuid="GPU-1", compute_capability=(7, 0), driver_cuda=(12, 4))
    on_v100 = cache.path(job())
    here.trt = SimpleNamespace(__version__="10.4.0", BuilderFlag=here.trt.BuilderFlag)
    on_old = cache.path(job())
    assert len({path, with_onnx, on_v100, on_old}) == 4
    assert to_tensorrt.build_host(job(precision="int8")) == {
        "gpu": "Tesla V100 sm_70",
        "tensorrt": "10.4.0",
        "flags": "FP16 INT8",
    }
    assert Path(onnx_file.path).exists()


def test_the_timing_cache_lies_beside_the_plan_and_is_used_again(tmp_path, monkeypatch):
    Driver(monkeypatch)
    cache, given = Cache(tmp_path), []

    def build(onnx_file, precision, timings):
        given.append(timings)
        return b"plan", b"timings"

    monkeypatch.setattr(to_tensorrt, "build", build)
    monkeypatch.setattr(to_tensorrt, "open_engine", lambda plan: None)
    monkeypatch.setattr(to_tensorrt, "check_plan", lambda job, engine: None)
    artifact = cache.obtain(job())
    plan = Path(artifact.path)
    assert plan.read_bytes() == b"plan"
    assert plan.with_suffix(".timings").read_bytes() == b"timings"
    assert artifact.made_by["gpu"] == "Tesla T4 sm_75"
    assert cache.obtain(job()) == artifact
    plan.write_bytes(b"damaged")
    cache.obtain(job())
    assert given == [b"", b"timings"]


def test_a_dynamic_batch_is_refused(tmp_path):
    with pytest.raises(UserError, match="fixed batch: a dynamic one; give --batch N"):
        Cache(tmp_path).obtain(job(batch=None))


def test_a_folder_of_fewer_photographs_than_a_batch_is_shown_over_again(tmp_path):
    for name, colour in (("a", (255, 0, 0)), ("b", (0, 0, 255))):
        Image.new("RGB", (40, 40), colour).save(tmp_path / f"{name}.png")
    shown = []

    def logits(images):
        shown.append(images)
        with torch.inference_mode():
            return find(TINY)[0].build()(torch.from_numpy(images)).numpy()

    engine = SimpleNamespace(logits=logits, close=lambda: None)
    fidelity = tensorrt_builder.check_plan(job(precision="int8", batch=5, calibration=tmp_path), engine)
    assert (fidelity.images, fidelity.cosine) == (5, pytest.approx(1.0))
    (images,) = shown
    assert [bool((images[0] == image).all()) for image in images] == [True, False, True, False, True]


def test_without_tensorrt_or_gpu_the_error_says_so(tmp_path):
    with pytest.raises(UserError, match=r"no TensorRT: .*; make bench-t4 installs it"):
        Cache(tmp_path).path(job())


@pytest.mark.gpu
@pytest.mark.parametrize("precision", to_tensorrt.FORMAT.precisions)
def test_a_plan_computes_what_torch_computes(tmp_path, precision):
    artifact = Cache(tmp_path).obtain(job(precision=precision))
    assert artifact.fidelity.images == 2
    assert artifact.fidelity.cosine > 0.99
