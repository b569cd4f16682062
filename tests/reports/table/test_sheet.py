import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.cells import Latency
from reports.table.sheet import decimals_of, short_count, with_interval

latencies = st.floats(1e-6, 1e6)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (9.72, "9.72"),
        (9.994, "9.99"),
        (9.996, "10.0"),
        (99.6, "99.6"),
        (123.4, "123"),
        (1234.5, "1234"),
        (0.25, "0.250"),
        (0.09996, "0.100"),
        (0.0123, "0.0123"),
        (0.0, "0.00"),
    ],
)
def test_a_number_has_three_digits(value, text):
    assert f"{value:.{decimals_of(value)}f}" == text


@given(st.floats(1e-6, 999.4))
def test_three_digits_are_as_many_as_rounding_to_three_keeps(value):
    assert float(f"{value:.{decimals_of(value)}f}") == float(f"{value:.3g}")
    assert len(f"{value:.{decimals_of(value)}f}".replace(".", "").lstrip("0")) == 3


@given(latencies, st.floats(1e-8, 2.0), st.floats(1e-8, 2.0))
def test_an_interval_never_prints_equal_to_its_number(ms, below, above):
    low_ms, high_ms = ms * math.exp(-below), ms * math.exp(above)
    number, _, rest = with_interval(Latency(ms, low_ms, high_ms)).partition(" (")
    low, _, high = rest.removesuffix(")").partition("–")
    assert float(low) < float(number) < float(high)
    assert math.isclose(float(number), ms, rel_tol=5.1e-3)


@given(latencies)
def test_a_number_without_an_interval_stands_alone(ms):
    assert with_interval(Latency.exactly(ms)) == f"{ms:.{decimals_of(ms)}f}"


def test_what_used_to_vanish():
    assert with_interval(Latency(9.72, 9.70, 9.74)) == "9.72 (9.70–9.74)"
    assert with_interval(Latency(123.4, 123.2, 123.6)) == "123.4 (123.2–123.6)"
    assert short_count(9_720_000) == "9.72M"
