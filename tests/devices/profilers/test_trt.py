"""TensorRT's layer times: reported through the real bindings of each version; what needs a GPU is marked."""

import json
from pathlib import Path

import msgspec
import pytest

from bench.profile import profile
from devices.profilers.trt import read_layers
from devices.targets import find_targets
from models import find
from tests.exporters.test_to_tensorrt import type_check
from tests.tensorrt_bindings import VERSIONS, Bindings

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)SuperResIDWE1K3(8,16,2,16,1)@32"
SCOPES = {"node_Conv_1": "module_list.0", "node_Conv_2": "module_list.1", "node_relu": "module_list.0", "sum": "fc"}

# A context that runs nothing and reports two layers to whatever real IProfiler it was given.
RUN = """
import json
from types import SimpleNamespace
import tensorrt as trt
from devices.samples import Samples
from devices.profilers.trt import TrtProfiler
from exporters import tensorrt_engine as engine

assert {"profiler", "enqueue_emits_profile"} <= set(dir(trt.IExecutionContext))

class Engine:
    _context = SimpleNamespace(profiler=None, enqueue_emits_profile=False)
    report_to = engine.Engine.report_to
    def queue(self):
        assert isinstance(self._context.profiler, trt.IProfiler) and self._context.enqueue_emits_profile
        self._context.profiler.report_layer_time("node_Conv_1 + node_relu", 2.0)
        self._context.profiler.report_layer_time("Reformatting CopyNode for Output Tensor 0", 1.0)

def time_one(queue):
    queue()
    return Samples(seconds=[4e-3])

profiler = TrtProfiler(Engine(), time_one, {"node_Conv_1": "module_list.0"}, trt.IProfiler)
seconds = profiler.run(3).seconds + profiler.run(4).seconds
print(json.dumps([seconds, [[each.kind, each.scope, each.seconds] for each in profiler.operators()]]))
"""


@pytest.fixture(scope="module", params=VERSIONS)
def bindings(request, tmp_path_factory):
    return Bindings(request.param, tmp_path_factory.mktemp("bindings"))


def test_every_version_reports_its_layers_to_us(bindings):
    seconds, operators = json.loads(bindings.run("-c", RUN))
    assert seconds == [4e-3] * 7
    assert operators == [["Conv", "module_list.0", 2e-3], ["Reformatting", "module_list.0", 1e-3]]


def test_our_file_type_checks_against_the_real_api(bindings, tmp_path):
    assert type_check(bindings.stubs(tmp_path), "devices/profilers/trt.py", "devices/runtimes/trt.py") == ""


@pytest.mark.parametrize(
    ("layer", "kind", "scope"),
    [
        ("node_Conv_1", "Conv", "module_list.0"),
        ("node_Conv_2 + node_relu", "Conv", "module_list.1"),
        ("PWN(node_relu)", "pointwise", "module_list.0"),
        ("{ForeignNode[node_Conv_1...node_relu]}", "fused region", "module_list.0"),
        ("{ForeignNode[node_Conv_1...node_Conv_2]}", "fused region", "several modules in one kernel"),
        ("Reformatting CopyNode for Input Tensor 0 to node_Conv_2", "Reformatting", "module_list.1"),
        ("__mye123", "fused region", ""),
        ("", "other", ""),
    ],
)
def test_a_layer_is_traced_by_the_nodes_in_its_name(layer, kind, scope):
    (found,) = read_layers([(layer, 1.0)], SCOPES)
    assert (found.kind, found.scope, found.seconds) == (kind, scope, 1e-3)


def test_layers_of_one_name_stay_apart_and_add_up():
    found = read_layers([("a", 1.0), ("a", 2.0)], {})
    assert len({operator.name for operator in found}) == 2
    assert sum(operator.seconds for operator in found) == pytest.approx(3e-3)


@pytest.mark.gpu
@pytest.mark.parametrize("target", ["gpu-tensorrt", "gpu-torch"])
def test_the_time_of_a_network_is_found_in_its_super_blocks(tmp_path: Path, target):
    (model,), (on,) = find(TINY), find_targets(target)
    on = msgspec.structs.replace(on, batch=4)
    found = profile(on.job(model), on, tmp_path / "artifacts", tmp_path)
    assert 0 < found.sum_s <= found.profiled_s * 1.1
    assert any(block.startswith(("0:", "1:", "several")) for block in found.by_block())
