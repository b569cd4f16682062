"""OpenVINO's counters as operators."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profilers import openvino
from devices.profilers.openvino import OpenvinoProfiler, read_counters
from devices.samples import Samples


def counter(name, kind, status="EXECUTED", microseconds=1):
    return SimpleNamespace(
        node_name=name,
        node_type=kind,
        exec_type="jit_avx2_f32",
        status=SimpleNamespace(name=status),
        real_time=timedelta(microseconds=microseconds),
    )


def test_what_ran_is_an_operator_with_the_module_that_its_node_came_from():
    counters = [
        counter("images", "Parameter", "NOT_RUN", 0),
        counter("images_abcd_acdb_conv_1", "Reorder", microseconds=10),
        counter("conv_1/WithoutBiases", "Convolution", microseconds=200),
        counter("relu", "Relu", "NOT_RUN", 0),
        counter("unknown", "Reduce", microseconds=5),
    ]
    found = read_counters(counters, {"conv_1": "module_list.0"})
    assert [(each.kind, each.scope) for each in found] == [
        ("Reorder", ""),
        ("Convolution", "module_list.0"),
        ("Reduce", "module_list.0"),
    ]
    assert [round(each.seconds * 1e6) for each in found] == [10, 200, 5]


@given(st.lists(st.tuples(st.text(), st.sampled_from(["EXECUTED", "NOT_RUN", "OPTIMIZED_OUT"])), max_size=8))
def test_any_names_are_read_and_only_what_ran_counts(named):
    found = read_counters([counter(name, "Any", status) for name, status in named], {"a": "b"})
    assert len(found) == sum(status == "EXECUTED" for _, status in named)


class Request:
    """Two operators, of which one takes a quarter of each inference; OpenVINO's counters are means of all so far."""

    def __init__(self, seconds):
        self.seconds, self.done = seconds, 0

    def infer(self):
        self.done += 1

    def get_profiling_info(self):
        mean_us = sum(self.seconds[: self.done]) / self.done * 1e6
        return [counter("a", "A", microseconds=int(mean_us / 4)), counter("b", "B", microseconds=int(mean_us * 3 / 4))]


@given(st.lists(st.floats(1e-5, 1.0), min_size=3, max_size=90))
def test_operators_are_those_of_the_faster_inferences_without_the_first_ones(seconds):
    request = Request(seconds)

    def timed(infer, count):
        infer()
        return Samples(seconds=[seconds[request.done - 1]])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openvino, "scopes_of", lambda _: {})
        patch.setattr(openvino, "time_each", timed)
        profiler = OpenvinoProfiler(request, SimpleNamespace(path="a.onnx"))
        assert profiler.run(2).seconds + profiler.run(len(seconds) - 2).seconds == seconds
        first, second = profiler.operators()
    typical_s = openvino.faster_mean(seconds[2:])
    # A counter is cut to microseconds, over all inferences and over the first two.
    assert first.seconds == pytest.approx(typical_s / 4, abs=1e-6 * len(seconds) / (len(seconds) - 2) + 1e-12)
    assert second.seconds == pytest.approx(typical_s * 3 / 4, abs=1e-6 * len(seconds) / (len(seconds) - 2) + 1e-12)
