import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profilers.operators import Operator, faster_mean, mean_of_faster
from devices.profilers.ort import _Event, read_events


def event(name, kind="Conv", microseconds=10):
    return _Event(cat="Node", name=f"{name}_kernel_time", dur=microseconds, args={"op_name": kind})


RUN_ENDS = _Event(cat="Session", name="model_run", dur=100)


def test_fused_nodes_are_traced_by_the_value_they_are_named_after():
    run = [
        event("relu_1_nchwc"),
        event("ReorderOutput_token_7", "ReorderOutput"),
        event("node_mean", "ReduceMean"),
        RUN_ENDS,
    ]
    found = read_events(run * 6, {"relu_1": "module_list.3", "node_mean": "pool"})
    assert [operator.scope for operator in found] == ["module_list.3", "module_list.3", "pool"]
    assert [operator.kind for operator in found] == ["Conv", "ReorderOutput", "ReduceMean"]


def test_warm_up_and_disturbed_inferences_do_not_count():
    def run(microseconds):
        return [event("a", microseconds=microseconds), RUN_ENDS]

    events = run(9000) + run(9000) + run(10) * 3 + run(5000)
    (operator,) = read_events(events, {})
    assert operator.seconds == pytest.approx(10e-6)


@given(st.lists(st.lists(st.floats(1e-6, 1), min_size=3, max_size=3), min_size=1, max_size=9))
def test_the_operators_add_up_to_a_typical_inference(runs):
    operators = [
        [Operator(name=f"{at}", kind="k", scope="", seconds=seconds) for at, seconds in enumerate(run)] for run in runs
    ]
    total_s = sum(operator.seconds for operator in mean_of_faster(operators))
    assert total_s == pytest.approx(faster_mean([sum(run) for run in runs]))


def test_what_the_profiler_writes_more_is_ignored():
    text = b'{"cat":"Node","name":"a_kernel_time","dur":3,"ts":1,"ph":"X","args":{"op_name":"Conv","provider":"x"}}'
    assert msgspec.json.decode(text, type=_Event).dur == 3
