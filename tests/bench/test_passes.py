"""Which networks are visited next, and when one needs no further visit."""

import math
import random

import pytest

from bench.passes import is_done, next_pass
from bench.protocol import Protocol
from bench.records.network_run import NetworkRun, Visits, network_of
from bench.trust.basis import Basis
from bench.trust.measurement import Measurement
from models import find
from tests.bench.made_up import LOST_SHARE, a_visit

PROTOCOL = Protocol()
BASIS = Basis(lost_share=LOST_SHARE)
NAMES = ("*t-B3", "*t-B5", "*t-B6", "*01ms*", "*02ms*", "*03ms*")


def a_run(name: str, counting: int, disturbed: int = 0, *, noise: float = 0.0, each_s: float = 0.1) -> NetworkRun:
    """A network with so many visits that count and that don't, which lie apart by `noise`."""
    (model,) = find(name)
    waits = [0.0] * counting + [each_s] * disturbed
    seconds = [each_s * (1 + noise * (-1) ** index) for index in range(len(waits))]
    visits = [
        a_visit(second, at_s=float(at), wait_s=wait)
        for at, (second, wait) in enumerate(zip(seconds, waits, strict=True))
    ]
    return NetworkRun(network_of(model), visits=Visits(visits))


def measured(runs: list[NetworkRun], basis: Basis = BASIS) -> dict[str, Measurement]:
    return {run.name: run.measurement(list(run.visits), basis) for run in runs if run.visits}


def chosen(runs: list[NetworkRun], protocol: Protocol = PROTOCOL, seed: int = 1) -> list[NetworkRun]:
    """The next pass, in the order of `runs`."""
    found = next_pass(runs, measured(runs), protocol, random.Random(seed))
    assert len({run.name for run in found}) == len(found)
    return sorted(found, key=runs.index)


def test_a_pass_begins_with_all():
    fresh = [a_run(name, 0) for name in NAMES]
    assert chosen(fresh) == fresh


def test_beside_a_neighbour_every_network_gets_one_visit_that_counts_before_any_gets_two():
    unequal = [a_run("*t-B3", 0, disturbed=4), a_run("*t-B5", 1), a_run("*t-B6", 3)]
    assert chosen(unequal) == unequal[:2]
    later = [a_run("*t-B3", 3, disturbed=4), a_run("*t-B5", 3), a_run("*t-B6", 5)]
    assert chosen(later) == later[:2]


def test_each_gets_its_minimum_of_visits_before_any_interval_is_narrowed():
    runs = [a_run("*t-B3", 6, noise=0.2), a_run("*t-B5", 5), a_run("*t-B6", 9, noise=0.2)]
    assert chosen(runs) == runs[1:2]


@pytest.mark.parametrize(("min_visits", "max_visits", "needed"), [(1, 100, 4), (8, 100, 8), (6, 3, 3), (1, 1, 1)])
def test_the_minimum_is_four_at_least_as_far_as_so_many_are_allowed(min_visits, max_visits, needed):
    protocol = Protocol(min_visits=min_visits, max_visits=max_visits)
    runs = [a_run("*t-B3", needed - 1), a_run("*t-B5", needed, noise=0.2)]
    assert chosen(runs, protocol) == runs[:1]


def test_then_those_whose_interval_narrows_most_a_second():
    wide = [a_run("*t-B3", 9, noise=0.01), a_run("*t-B5", 9, noise=0.2)]
    assert chosen(wide) == wide[1:]
    long = [a_run("*t-B3", 9, noise=0.1, each_s=0.1), a_run("*t-B5", 9, noise=0.1, each_s=1.0)]
    assert chosen(long) == long[:1]
    # One more of many visits narrows an interval less.
    many = [a_run("*t-B3", 40, noise=0.1), a_run("*t-B5", 10, noise=0.1)]
    assert chosen(many) == many[1:]


@pytest.mark.parametrize(("count", "half"), [(1, 1), (2, 1), (5, 3), (6, 3)])
def test_it_is_the_better_half(count, half):
    runs = [a_run(name, 9, noise=0.01 * (at + 1)) for at, name in enumerate(NAMES[:count])]
    assert chosen(runs) == runs[-half:]


def test_the_order_is_by_chance_that_the_seed_decides():
    runs = [a_run(name, 0) for name in NAMES]
    orders = [[run.name for run in next_pass(runs, {}, PROTOCOL, random.Random(seed))] for seed in range(20)]
    assert len({tuple(order) for order in orders}) > 10
    again = [[run.name for run in next_pass(runs, {}, PROTOCOL, random.Random(seed))] for seed in range(20)]
    assert orders == again


@pytest.mark.parametrize(
    ("run", "done"),
    [
        (a_run("*t-B3", 0), False),
        (a_run("*t-B3", 5), False),
        (a_run("*t-B3", 6), True),
        (a_run("*t-B3", 6, noise=0.2), False),
        (a_run("*t-B3", 3, disturbed=9), False),
        (a_run("*t-B3", 0, disturbed=100), True),
        (a_run("*t-B3", 100, noise=0.2), True),
    ],
)
def test_a_network_is_done_when_its_interval_is_narrow_or_it_has_all_the_visits_that_it_may(run, done):
    assert is_done(run, measured([run]), PROTOCOL) is done


def test_a_network_that_can_not_go_on_is_done():
    run = a_run("*t-B3", 0)
    run.reason = "out of memory"
    assert is_done(run, {}, PROTOCOL)


@pytest.mark.parametrize("max_visits", [1, 3])
def test_fewer_visits_than_an_interval_needs_are_enough_where_no_more_are_allowed(max_visits):
    protocol = Protocol(max_visits=max_visits)
    fewer, enough = a_run("*t-B3", max_visits - 1), a_run("*t-B3", max_visits)
    assert not is_done(fewer, measured([fewer]), protocol)
    assert is_done(enough, measured([enough]), protocol)


def test_how_far_sweeps_lie_apart_is_nothing_that_visits_narrow():
    from bench.trust.run_to_run import RunToRun

    run = a_run("*t-B3", 9, noise=0.001)
    far = Basis(lost_share=LOST_SHARE, run_to_run=RunToRun(error=0.5, freedom=2.0, sweeps=3))
    assert run.measurement(list(run.visits), far).estimate.half_width > 1 or math.isinf(
        run.measurement(list(run.visits), far).estimate.half_width
    )
    assert is_done(run, measured([run], far), PROTOCOL)
