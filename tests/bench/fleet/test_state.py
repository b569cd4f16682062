from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fleet.state import IDLE, Pace, Row, State, shares_of


class Place:
    def __init__(self, host="alpha", device=None):
        self.host, self.device = host, device


@pytest.fixture
def clock():
    return SimpleNamespace(now_s=0.0)


@pytest.fixture
def state(clock):
    return State(["cpu", "pixel2"], lambda: clock.now_s)


def test_a_target_has_a_row_before_it_has_a_device(state):
    assert state.shown(10) == [Row(name, "", "", "waits for a device", "", None) for name in ("cpu", "pixel2")]
    with state.watch("cpu").stage("export", 2) as bar:
        bar.at(1, "B3")
        assert state.shown(10)[0].network == "export 1: B3"
    assert state.shown(10)[0].network == "prepares its devices"


def test_each_device_has_a_row_of_what_it_does(state):
    watch, first, second = state.watch("pixel2"), Place("beta", "HT1"), Place("beta", "HT2")
    with watch.stage("load", 2):
        watch.begins(first, "B3")
        assert state.shown(10)[1] == Row("pixel2", "beta", "HT1", "loads B3", "0", None)
        watch.done(first, visit=False)
    with watch.stage("measure", 60.0):
        watch.begins(first, "B5")
        watch.begins(second, "B6")
        watch.done(second, visit=True)
        assert state.shown(10)[1:] == [
            Row("pixel2", "beta", "HT1", "B5", "0", None),
            Row("pixel2", "beta", "HT2", IDLE, "1", None),
        ]
    assert state.summary() == ["0 of 2 targets done; 2 devices, 1 visit"]


def test_a_device_that_is_lost_leaves_its_row_and_its_reason(state):
    watch, place = state.watch("cpu"), Place()
    with watch.stage("measure", 60.0):
        watch.begins(place, "B3")
        watch.lost(place, "its host is gone")
        assert state.shown(10)[0] == Row("cpu", "", "", "waits for a device", "", None)
        watch.done(place, visit=True)  # an answer that was on its way
    assert state.summary() == [
        "0 of 2 targets done; 0 devices, 1 visit",
        "1 lost, the last one cpu on alpha: its host is gone",
    ]


def test_a_sweep_that_ended_has_no_rows(state):
    watch = state.watch("cpu")
    watch.begins(Place(), "B3")
    watch.end()
    watch.end()
    assert [row.target for row in state.shown(10)] == ["pixel2"]
    assert state.summary() == ["1 of 2 targets done; 0 devices, 0 visits"]


def test_rows_are_shared_among_targets_and_the_others_are_counted(state):
    for _ in range(30):
        state.watch("pixel2").begins(Place("beta"), "B3")
    rows = state.shown(5)
    assert [(row.target, row.host) for row in rows] == [
        ("cpu", ""),
        *[("pixel2", "beta")] * 3,
        ("pixel2", "… and 27 more"),
    ]


def test_more_targets_than_rows():
    rows = State([f"target{number}" for number in range(9)]).shown(4)
    assert [row.target for row in rows] == ["target0", "target1", "target2", "… and 6 more"]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.integers(1, 60))
def test_never_more_rows_than_asked_and_no_device_is_forgotten(counts, most):
    state = State([f"target{number}" for number in range(len(counts))])
    for number, count in enumerate(counts):
        for _ in range(count):
            state.watch(f"target{number}").begins(Place(), "B3")
    rows = state.shown(most)
    assert 1 <= len(rows) <= most
    shown = [row for row in rows if row.host == "alpha"]
    hidden = [int(row.host.split()[2]) for row in rows if row.host.startswith("…")]
    if not rows[-1].target.startswith("…") and all(share > 1 for share in shares_of([max(1, c) for c in counts], most)):
        assert len(shown) + sum(hidden) == sum(counts)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20), st.integers(1, 100))
def test_shares_use_all_there_is(counts, most):
    shares = shares_of(counts, most)
    assert all(1 <= share <= count for share, count in zip(shares, counts, strict=True))
    if most >= len(counts):
        assert sum(shares) == min(most, sum(counts))
        cut = [share for share, count in zip(shares, counts, strict=True) if share < count]
        assert not cut or max(shares) - min(cut) <= 1


def test_what_is_left_goes_by_the_pace_since_the_first_that_is_known():
    pace = Pace(100.0)
    assert pace.left_s(0.0) is None
    pace.at(40.0, 10.0)  # a resumed sweep
    assert pace.left_s(11.0) is None
    pace.at(50.0, 30.0)
    assert pace.left_s(30.0) == 100.0
    assert pace.left_s(40.0) == 90.0
    assert pace.left_s(1000.0) == 0.0
