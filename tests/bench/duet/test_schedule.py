import random
from itertools import islice

import pytest

from bench.duet.ledger import DuetRun
from bench.duet.record import DuetSide, Lost, SideVisit, Turn
from bench.duet.schedule import gain, least_turns, next_pass, orders
from bench.duet.settings import DuetSettings
from bench.records.network_run import network_of
from devices.samples import Samples
from devices.targets import find_targets
from models import find


def a_run(name: str, ratios: list[float], *, took_s: float = 1.0, lost: bool = False) -> DuetRun:
    side = DuetSide(target=find_targets("fake")[0])
    run = DuetRun(network_of(find(name)[0]), side, side)
    for ratio in ratios:
        old, new = (SideVisit(settle_s=[], samples=Samples(seconds=[second])) for second in (1.0, ratio))
        run.took(Turn(process_pair=0, first="old", at_s=0.0, took_s=took_s, old=old, new=new), 0.02)
    run.lost = Lost(side="new", reason="as the test says") if lost else None
    return run


def test_each_side_comes_first_and_second_equally_often_in_every_four_visits():
    found = list(islice(orders(random.Random(1)), 40))
    blocks = {tuple(found[start : start + 2]) for start in range(0, 40, 2)}
    assert blocks == {("old", "new"), ("new", "old")}


def test_the_order_is_that_of_the_seed():
    def first(seed: int) -> list[str]:
        return list(islice(orders(random.Random(seed)), 60))

    assert first(1) == first(1) != first(2)


@pytest.mark.parametrize(
    ("settings", "least"),
    [
        (DuetSettings(), [4, 8, 12]),
        (DuetSettings(process_pairs=1), [12]),
        (DuetSettings(min_turns=1), [2, 2, 2]),
    ],
)
def test_the_least_turns_are_spread_over_the_processes_in_whole_blocks(settings, least):
    assert [least_turns(settings, number) for number in range(settings.process_pairs)] == least


def test_whoever_lacks_turns_comes_first_whatever_the_budget():
    runs = [a_run("*t-B3", [1.0, 1.1] * 4), a_run("*t-B5", [1.0]), a_run("*t-B6", [], lost=True)]
    assert next_pass(runs, 8, budget_is_left=False) == [runs[1]]
    assert next_pass(runs, 9, budget_is_left=False) == runs[:2]


def test_then_the_half_that_narrows_most_a_second():
    noisy, quiet = [1.0, 1.1] * 4, [1.0, 1.01] * 4
    runs = [a_run("*t-B3", quiet), a_run("*t-B5", noisy), a_run("*t-B6", noisy, took_s=9.0), a_run("*01ms*", noisy * 4)]
    assert gain(runs[1]) > gain(runs[3]) > gain(runs[2]) > gain(runs[0]) > 0
    assert next_pass(runs, 8, budget_is_left=True) == [runs[1], runs[3]]
    assert next_pass(runs, 8, budget_is_left=False) == []


def test_it_ends_where_nothing_would_narrow():
    assert next_pass([a_run("*t-B3", [1.1] * 8)], 8, budget_is_left=True) == []
