import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from models.published import published
from reports.agreement import agreement, kendall
from reports.gather import gather


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12))
def test_kendall_is_scipys(pairs):
    ours = kendall(pairs)
    if ours is None:
        assert len({left for left, _ in pairs}) == 1 or len({right for _, right in pairs}) == 1
    else:
        theirs = kendalltau([left for left, _ in pairs], [right for _, right in pairs]).statistic
        assert ours == pytest.approx(theirs)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_kendall_is_agreeing_less_disagreeing_pairs_over_untied_ones(pairs):
    signs = [
        ((one > other) - (one < other), (first > second) - (first < second))
        for (one, first), (other, second) in combinations(pairs, 2)
    ]
    untied = sum(left != 0 for left, _ in signs) * sum(right != 0 for _, right in signs)
    expected = sum(left * right for left, right in signs) / math.sqrt(untied) if untied else None
    assert kendall(pairs) == (None if expected is None else pytest.approx(expected))


def test_a_common_factor_is_agreement_and_the_odd_one_out_comes_first(make_record):
    records = [
        make_record(model, "pixel2", [row.latency_ms["pixel2"] * (6e-3 if model == "EfficientNet-B3" else 2e-3)] * 6)
        for model, row in published().items()
    ]
    (column,) = (column for column in gather(records).columns if column.name == "pixel2")
    agreed = agreement(column)
    assert agreed.median_ratio == pytest.approx(2)
    assert next(iter(agreed.ratios)) == "EfficientNet-B3"
    assert agreed.ratios["EfficientNet-B3"] == pytest.approx(6)
    assert 0.5 < agreed.tau < 1


def test_without_a_measured_number_there_is_nothing_to_agree_on():
    assert agreement(gather([]).columns[0]) is None
