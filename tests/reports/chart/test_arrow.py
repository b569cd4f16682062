"""What the arrow says of a network and the baseline family's latency at its accuracy."""

import pytest

from reports.cells import Latency
from reports.chart.arrow import arrow_text
from reports.equal_accuracy import Speedup
from reports.points import Point


def said(factor: float, half_width: float) -> str:
    def latency(ms: float) -> Latency:
        return Latency(ms, ms / half_width, ms * half_width)

    return arrow_text(Speedup(Point("a", "A", 80.0, latency(10.0)), latency(10.0 * factor)))


@pytest.mark.parametrize(
    ("factor", "half_width", "text"),
    [
        (2.0, 1.0, "2.0x speed-up"),
        (0.8, 1.0, "0.80x: slower"),
        (2.0, 1.1, "2.0x speed-up (1.7 to 2.3)"),
        (0.8, 1.05, "0.80x: slower (0.75 to 0.86)"),
        # Neither is told where both may be.
        (1.04, 1.1, "1.04x: no difference found (0.91 to 1.19)"),
        (0.99, 1.1, "0.99x: no difference found (0.87 to 1.13)"),
    ],
)
def test_it_says_faster_or_slower_where_the_interval_does(factor, half_width, text):
    assert said(factor, half_width) == text
