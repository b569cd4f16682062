"""OpenVINO's counters as operators."""

from datetime import timedelta
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from devices.profilers.openvino import read_counters


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
