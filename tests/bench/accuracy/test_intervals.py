import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.accuracy.intervals import points_lost, wilson
from bench.accuracy.record import Agreement


def agreement(both: int, torch_alone: int, artifact_alone: int) -> Agreement:
    return Agreement(same_top1=both, both_right=both, only_torch_right=torch_alone, only_artifact_right=artifact_alone)


@given(st.integers(1, 100_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_wilson_s_interval_is_scipy_s(counts):
    right, of = counts
    expected = stats.binomtest(right, of).proportion_ci(method="wilson")
    assert wilson(right, of) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_of_no_image_nothing_is_known():
    assert wilson(0, 0) == (0, 1)
    assert points_lost(agreement(0, 0, 0), 0) is None


def test_a_sample_of_100_images_shows_its_ten_points():
    low, high = wilson(60, 100)
    assert 0.18 < high - low < 0.2


counts = st.tuples(*[st.integers(0, 5000)] * 4).filter(any)


@given(counts)
def test_points_lost_lie_within_their_interval_and_swap_their_sign_with_the_sides(found):
    both, torch_alone, artifact_alone, _ = found
    labelled = sum(found)
    lost, low, high = points_lost(agreement(both, torch_alone, artifact_alone), labelled)
    assert -100 <= low <= lost <= high <= 100
    assert lost == pytest.approx(100 * ((both + torch_alone) - (both + artifact_alone)) / labelled)
    swapped = points_lost(agreement(both, artifact_alone, torch_alone), labelled)
    assert swapped == pytest.approx((-lost, -high, -low))


def test_both_having_seen_the_same_images_makes_the_interval_of_their_difference_narrow():
    _, low, high = points_lost(agreement(740, 12, 8), 1000)
    top1 = wilson(752, 1000)
    assert high - low < 100 * (top1[1] - top1[0]) / 2
    assert low < 0 < high


def test_a_file_that_lost_much_has_an_interval_above_none():
    _, low, _ = points_lost(agreement(100, 50, 0), 200)
    assert low > 15


@pytest.mark.parametrize(("torch_alone", "artifact_alone"), [(30, 10), (5, 5), (2, 20)])
def test_the_interval_of_points_lost_holds_95_percent_of_what_chance_gives(torch_alone, artifact_alone):
    shares = [0.7, torch_alone / 500, artifact_alone / 500]
    drawn = stats.multinomial(500, [*shares, 1 - sum(shares)]).rvs(2000, random_state=1)
    true = 100 * (torch_alone - artifact_alone) / 500
    found = [points_lost(agreement(int(a), int(b), int(c)), 500) for a, b, c, _ in drawn]
    assert sum(low <= true <= high for _, low, high in found) / 2000 == pytest.approx(0.95, abs=0.02)
