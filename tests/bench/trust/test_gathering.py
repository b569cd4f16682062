"""Bringing cores together is an experiment: it takes a small share of the time and ends where it does not help."""

import random

import pytest

from bench.trust import gathering as gathering_module
from bench.trust.gathering import Gathering
from bench.trust.visit import Reading
from tests.bench.made_up import a_reading, samples

FAST_S, SLOW_S = 0.006, 0.009
PLENTY_S = 1e6


class FakeCores:
    """Cores that note how often they were brought together, on a clock that only they move."""

    def __init__(self) -> None:
        self.times, self.now_s, self.closed = 0, 0.0, False

    def gather(self, duration_s: float) -> None:
        self.times += 1
        self.now_s += duration_s

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def cores(monkeypatch) -> FakeCores:
    fake = FakeCores()
    monkeypatch.setattr(gathering_module, "Cores", lambda: fake)
    monkeypatch.setattr(gathering_module.time, "monotonic", lambda: fake.now_s)
    return fake


def a_gathering(share: float = 0.05, known: int = 20) -> Gathering:
    """One that has seen fast readings, with a little scatter."""
    made, chance = Gathering(share), random.Random(1)
    for _ in range(known):
        made.add(a_reading(0.0, 0.008, FAST_S * (1 + chance.uniform(-0.01, 0.01))))
    return made


def reading(core_to_core_s: float) -> Reading:
    return a_reading(0.0, 0.008, core_to_core_s)


def attempt(
    made: Gathering, chance: random.Random, after_try_s: float, after_nothing_s: float, cores: FakeCores
) -> None:
    """A slow reading, an attempt, and the reading after it."""
    slow = SLOW_S * (1 + chance.uniform(-0.01, 0.01))
    times = cores.times
    made.gather()
    after_s = after_try_s if cores.times > times else after_nothing_s
    made.judge(reading(slow), reading(after_s * (1 + chance.uniform(-0.01, 0.01))))


def test_it_is_wanted_where_a_reading_is_slow_for_this_sweep(cores):
    made = a_gathering()
    assert made.wanted(reading(SLOW_S), PLENTY_S)
    assert not made.wanted(reading(FAST_S), PLENTY_S)
    assert not made.wanted(Reading(at_s=0.0, workloads={"compute": samples(0.008)}), PLENTY_S)


def test_few_readings_do_not_say_what_is_slow(cores):
    assert not a_gathering(known=11).wanted(reading(SLOW_S), PLENTY_S)
    assert a_gathering(known=12).wanted(reading(SLOW_S), PLENTY_S)


def test_it_takes_at_most_its_share_of_the_time(cores):
    made, chance, elapsed_s = a_gathering(share=0.05), random.Random(1), 0.0
    for _ in range(2000):
        elapsed_s += 0.1
        if made.wanted(reading(SLOW_S), elapsed_s):
            attempt(made, chance, FAST_S, SLOW_S, cores)
        assert cores.now_s <= 0.05 * elapsed_s + 1e-9
    # Of the time that it may take it takes nearly all where that helps.
    assert cores.now_s > 0.04 * elapsed_s


def test_a_share_of_nothing_is_never(cores):
    assert not a_gathering(share=0.0).wanted(reading(SLOW_S), PLENTY_S)


def test_every_other_time_nothing_is_done_for_comparison(cores):
    made, chance, tried = a_gathering(), random.Random(1), []
    for _ in range(6):
        attempt(made, chance, FAST_S, SLOW_S, cores)
        tried.append(cores.times)
    assert tried == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("seed", range(5))
def test_it_goes_on_where_it_helps(cores, seed):
    made, chance = a_gathering(), random.Random(seed)
    for _ in range(40):
        assert made.wanted(reading(SLOW_S), PLENTY_S)
        attempt(made, chance, FAST_S, SLOW_S, cores)
    assert cores.times == 20


@pytest.mark.parametrize("after_s", [SLOW_S, FAST_S])
def test_it_ends_where_doing_nothing_helps_as_much(cores, after_s):
    ended = 0
    for seed in range(10):
        made, chance = a_gathering(), random.Random(seed)
        for _ in range(40):
            if made.wanted(reading(SLOW_S), PLENTY_S):
                attempt(made, chance, after_s, after_s, cores)
        ended += not made.helps
    assert ended >= 8


def test_a_few_tries_are_made_before_it_is_given_up(cores):
    made, chance = a_gathering(), random.Random(1)
    for _ in range(7):
        attempt(made, chance, SLOW_S, SLOW_S, cores)
        assert made.helps
    attempt(made, chance, SLOW_S, SLOW_S, cores)
    assert not made.helps


def test_closing_ends_the_cores_process(cores):
    a_gathering().close()
    assert cores.closed
