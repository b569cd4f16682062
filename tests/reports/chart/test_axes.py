from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.accuracy import MeasuredAccuracy, Share
from reports.cells import Latency
from reports.chart.axes import accuracy_range, latency_range
from reports.points import Point


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


@given(points, st.integers(0, 100))
def test_the_whole_interval_of_a_measured_accuracy_is_within_the_axis(points, right):
    share = Share.of(right, 100)
    accuracy = MeasuredAccuracy(share, share, None, share, 100, 100, 0, "a folder", "a sample", "net.pth")
    low, high = accuracy_range([*points, replace(points[0], top1_percent=share.percent, accuracy=accuracy)])
    assert low < share.low
    assert share.high < high
