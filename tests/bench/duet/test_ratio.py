import math
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.duet.ratio import ALL, Ratio, differing, fit, holm, slower, together
from bench.duet.settings import DuetSettings
from tests.bench.duet.simulated import TURNS, duet

SETTINGS = DuetSettings()


def different(found: dict[str, Ratio | None]) -> set[str]:
    return differing({name: part for name, part in found.items() if part is not None}, SETTINGS.alpha)


def noise(choose: random.Random) -> dict[str, float]:
    """A coefficient of variation of plain times as seen: most of it is drift, which both sides share."""
    total = choose.uniform(0.03, 0.055)
    return {"own_sd": 0.6 * total, "drift_sd": 0.8 * total, "process_sd": 0.002}


@pytest.mark.parametrize("own", [{}, {"own_sd": 0.03}, {"own_sd": 0.05, "process_sd": 0.0}])
def test_identical_files_raise_a_false_alarm_in_at_most_one_of_twenty_duets(own):
    choose = random.Random(1)
    alarms = [bool(different(fit(duet(choose, **(noise(choose) | own)), SETTINGS))) for _ in range(140)]
    assert sum(alarms) <= 7


def test_processes_that_differ_more_than_expected_raise_few_false_alarms_too():
    choose = random.Random(2)
    duets = [duet(choose, own_sd=0.01, drift_sd=0.04, process_sd=0.005) for _ in range(100)]
    assert sum(bool(different(fit(found, SETTINGS))) for found in duets) <= 10


def test_a_planted_3_percent_is_found_in_ten_of_twelve_networks():
    choose = random.Random(3)
    found = [len(different(fit(duet(choose, change=0.03, **noise(choose)), SETTINGS))) for _ in range(50)]
    assert sum(count >= 10 for count in found) >= 48


def test_intervals_hold_as_often_as_they_say():
    choose = random.Random(4)
    held = [
        part.low <= 1.03 <= part.high
        for _ in range(60)
        for part in fit(duet(choose, change=0.03, **noise(choose)), SETTINGS).values()
        if part is not None
    ]
    assert len(held) == 60 * len(TURNS)
    assert 0.93 <= sum(held) / len(held) <= 0.985


def test_a_drift_that_both_sides_share_does_not_widen_the_interval():
    widths = []
    for drift_sd in (0.0, 0.05):
        (part,) = fit(
            duet(random.Random(5), own_sd=0.01, drift_sd=drift_sd, process_sd=0, turns=[240]), SETTINGS
        ).values()
        widths.append(part.high - part.low)
    assert widths[1] < 1.5 * widths[0]


@given(st.floats(-0.5, 0.5), st.integers(0, 2**32))
def test_a_common_factor_moves_the_ratio_and_nothing_else(shift, seed):
    found = duet(random.Random(seed), own_sd=0.02, drift_sd=0.02, process_sd=0.002, turns=[60, 24])
    moved = {name: [[value + shift for value in pair] for pair in pairs] for name, pairs in found.items()}
    for before, after in zip(fit(found, SETTINGS).values(), fit(moved, SETTINGS).values(), strict=True):
        assert math.isclose(math.log(after.ratio), math.log(before.ratio) + shift, abs_tol=1e-9)
        assert math.isclose(after.log_error, before.log_error, rel_tol=1e-6)


def test_swapping_the_sides_inverts_the_ratio():
    found = duet(random.Random(6), own_sd=0.02, drift_sd=0.02, process_sd=0.002, change=0.1, turns=[60])
    swapped = {name: [[-value for value in pair] for pair in pairs] for name, pairs in found.items()}
    (one,), (other,) = fit(found, SETTINGS).values(), fit(swapped, SETTINGS).values()
    assert other.ratio == pytest.approx(1 / one.ratio)
    assert other.low == pytest.approx(1 / one.high)
    assert other.p_different() == pytest.approx(one.p_different())


def test_a_few_wild_turns_hardly_move_it():
    pairs = duet(random.Random(7), own_sd=0.01, drift_sd=0.0, process_sd=0, turns=[120])["0"]
    wild = [[value + (1.0 if index % 15 == 0 else 0.0) for index, value in enumerate(pair)] for pair in pairs]
    (part,) = fit({"a": wild}, SETTINGS).values()
    assert abs(math.log(part.ratio)) < 0.01


@pytest.mark.parametrize(
    ("pairs", "testable"),
    [
        ([], False),
        ([[]], False),
        ([[0.0] * 7], False),
        ([[0.0, 0.1] * 4], True),
        ([[0.1]] * 20, False),  # as many blocks as pairs say nothing of sampling
        ([[0.0, 0.1, 0.2], [], [0.0, 0.1, 0.2], [0.3, 0.2, 0.1]], True),
    ],
)
def test_fewer_than_eight_blocks_give_no_interval(pairs, testable):
    assert (fit({"a": pairs}, SETTINGS)["a"] is not None) is testable


def test_without_noise_only_processes_leave_an_error():
    (part,) = fit({"a": [[math.log(1.03)] * 8] * 3}, SETTINGS).values()
    assert part.ratio == pytest.approx(1.03, rel=1e-12)
    assert part.sampling_error == pytest.approx(0, abs=1e-12)
    assert 0 < part.process_error < SETTINGS.process_sd


def test_pairs_that_lie_apart_are_the_unit():
    alike = [[0.001 * (-1) ** turn for turn in range(40)] for _ in range(3)]
    apart = [[value + offset for value in pair] for pair, offset in zip(alike, (-0.03, 0.0, 0.03), strict=True)]
    others = {str(index): alike for index in range(11)}
    found = fit({"apart": apart} | others, SETTINGS)["apart"]
    assert found.process_error == pytest.approx(0.03 / math.sqrt(3), rel=0.01)
    assert found.freedom < 3


def test_the_processes_of_all_networks_say_together_how_much_processes_differ():
    errors = []
    for offset in (0.0, 0.01):
        networks = {
            str(index): [[value + offset * side for value in (0.002, -0.002) * 20] for side in (-1, 0, 1)]
            for index in range(12)
        }
        errors.append(fit(networks, SETTINGS)["0"].process_error)
    assert errors[0] < SETTINGS.process_sd < errors[1]


def a_ratio(**changes) -> Ratio:
    part = Ratio(ratio=1.05, low=1.03, high=1.07, log_error=0.01, sampling_error=0.01, process_error=0.0, freedom=20.0)
    return msgspec.structs.replace(part, **changes)


def test_the_gate_asks_for_more_than_its_threshold():
    part = a_ratio()
    assert part.p_slower(0) < 0.001 < part.p_slower(3) < 0.05 < part.p_slower(4.9) < 0.5 < part.p_slower(6)
    assert a_ratio(ratio=1 / 1.05).p_slower(0) > 0.99
    assert part.p_slower(0) == pytest.approx(part.p_different() / 2)


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=12))
def test_holm_is_between_bonferroni_and_none(ps):
    fallen = holm(ps, 0.05)
    assert {name for name, p in ps.items() if p <= 0.05 / len(ps)} <= fallen
    assert fallen <= {name for name, p in ps.items() if p <= 0.05}
    assert all(ps[name] <= ps[other] for name in fallen for other in ps.keys() - fallen)


def test_holm_stops_at_the_first_that_stands():
    assert holm({"a": 0.01, "b": 0.03, "c": 0.02}, 0.05) == {"a", "b", "c"}
    assert holm({"a": 0.01, "b": 0.03, "c": 0.03}, 0.05) == {"a"}
    assert holm({"a": 0.02, "b": 0.001, "c": 0.3}, 0.05) == {"b", "a"}
    assert holm({}, 0.05) == set()


def test_what_slows_all_networks_by_a_little_shows_in_all_of_them_together():
    choose = random.Random(3)
    found = fit(duet(choose, own_sd=0.12, drift_sd=0.05, process_sd=0.001, change=0.03), SETTINGS)
    every = together([part for part in found.values() if part is not None])
    assert every.low < 1.03 < every.high
    assert every.log_error < min(part.log_error for part in found.values())
    assert ALL in differing(found, SETTINGS.alpha)
    assert len(differing(found, SETTINGS.alpha)) <= 3
    assert ALL in slower(found, 0.5, SETTINGS.alpha)
    assert slower(found, 4.0, SETTINGS.alpha) == set()


def test_one_network_is_not_all_of_them():
    choose = random.Random(4)
    found = fit({"one": duet(choose, own_sd=0.01, drift_sd=0.05, process_sd=0.001, change=0.05)["0"]}, SETTINGS)
    assert together([found["one"]]) is None
    assert differing(found, SETTINGS.alpha) == {"one"}
