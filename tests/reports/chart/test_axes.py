import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.cells import Latency
from reports.chart.axes import accuracy_range, latency_range
from reports.equal_accuracy import Point


def point(ms, half_width, top1):
    return Point("a network", "a family", top1, Latency(ms, ms / half_width, ms * half_width))


points = st.lists(st.builds(point, st.floats(1e-3, 1e4), st.floats(1, 2), st.floats(1, 99)), min_size=1, max_size=12)


@pytest.mark.parametrize("log", [False, True])
@given(points=points)
def test_every_interval_is_within_the_latency_axis(log, points):
    low, high = latency_range(points, log=log)
    assert low < min(each.latency.low_ms for each in points)
    assert max(each.latency.high_ms for each in points) < high
    assert low > 0 or not log


@given(points)
def test_every_accuracy_is_within_an_axis_of_at_least_five_percent(points):
    low, high = accuracy_range(points)
    assert all(low < each.top1_percent < high for each in points)
    assert high - low >= 5 - 1e-9
