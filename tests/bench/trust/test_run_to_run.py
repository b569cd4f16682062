"""How far sweeps lie apart beyond what each says of itself."""

import math
import random
from statistics import mean

import pytest

from bench.trust.run_to_run import RunToRun, Told, run_to_run

NAMES = [f"network {number}" for number in range(12)]


def sweeps(count: int, *, shared: float, own: float, sampling: float = 0.004, seed: int = 1, names=NAMES):
    """What simulated sweeps say: each has a condition that its networks share, and each network an error of its own."""
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        mood = chance.gauss(0, shared)
        logs = {name: -3 + mood + chance.gauss(0, own) + chance.gauss(0, sampling) for name in names}
        found.append({name: Told(log=log, log_error=sampling) for name, log in logs.items()})
    return found


def error_of(found: list[dict[str, Told]]) -> RunToRun | None:
    return run_to_run(found[:-1], found[-1])


@pytest.mark.parametrize("count", [1, 2])
def test_before_three_sweeps_it_is_unknown(count):
    assert error_of(sweeps(count, shared=0.01, own=0.01)) is None
    assert error_of(sweeps(3, shared=0.01, own=0.01)).sweeps == 3


def test_it_is_recovered_on_average():
    variances = [error_of(sweeps(6, shared=0.008, own=0.006, seed=seed)).error ** 2 for seed in range(200)]
    assert math.sqrt(mean(variances)) == pytest.approx(0.010, rel=0.05)


def test_what_sweeps_say_of_themselves_is_no_part_of_it():
    small = [error_of(sweeps(6, shared=0.0, own=0.0, sampling=0.01, seed=seed)).error for seed in range(50)]
    assert mean(small) < 0.004
    assert min(small) == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_it_is_never_negative_nor_without_freedom(seed):
    for count, names in ((3, NAMES), (4, NAMES[:1]), (10, NAMES[:2])):
        found = error_of(sweeps(count, shared=0.001, own=0.0, sampling=0.02, seed=seed, names=names))
        assert found.error >= 0
        assert count - 1 - 1e-9 <= found.freedom <= (count - 1) * len(names) + 1e-9


def test_a_condition_that_all_networks_share_is_known_from_few_differences():
    shared, own = (
        mean(error_of(sweeps(4, seed=seed, sampling=0.0, **spread)).freedom for seed in range(30))
        for spread in ({"shared": 0.01, "own": 0.001}, {"shared": 0.0, "own": 0.01})
    )
    assert 3 <= shared < 3.5
    assert own > 25


def test_one_network_alone_has_one_difference_a_sweep():
    assert error_of(sweeps(5, shared=0.01, own=0.01, names=NAMES[:1])).freedom == pytest.approx(4)


def test_sweeps_without_any_difference_have_no_error():
    same = [{name: Told(log=-3.0, log_error=0.0) for name in NAMES}] * 4
    assert error_of(same) == RunToRun(error=0.0, freedom=3.0, sweeps=4)


def test_sweeps_that_lack_a_network_or_its_interval_are_left_out():
    whole = sweeps(4, shared=0.01, own=0.005)
    lacking = {name: told for name, told in whole[0].items() if name != NAMES[3]}
    without = whole[0] | {NAMES[3]: Told(log=-3.0, log_error=math.inf)}
    assert error_of([lacking, without, *whole]) == error_of(whole)
    assert error_of([lacking, without, *whole[:2]]) is None


def test_of_more_networks_than_this_sweep_has_only_its_own_count():
    whole = sweeps(4, shared=0.01, own=0.005)
    few = [{name: sweep[name] for name in NAMES[:3]} for sweep in whole]
    assert run_to_run(whole[:-1], few[-1]) == error_of(few)


def test_without_a_network_that_has_an_interval_it_is_unknown():
    nothing = {name: Told(log=-3.0, log_error=math.inf) for name in NAMES}
    assert run_to_run([nothing] * 4, nothing) is None
    assert run_to_run(sweeps(4, shared=0.01, own=0.005), nothing) is None


def test_seconds_that_no_clock_gives_say_nothing():
    broken = {"a": Told.of(0.0, 0.01)}
    assert run_to_run([broken] * 4, broken) is None
    assert Told.of(math.e, 0.01) == Told(log=1.0, log_error=0.01)
