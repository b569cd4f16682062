"""One condition for all networks of a sweep, and each network's own exponents by the visits that count."""

import math
import random

import msgspec

from bench.trust.exponents import learn
from bench.trust.fit import Earlier, fit
from bench.trust.visit import Visit
from tests.bench.made_up import LOST_SHARE, a_reading, a_visit

EARLIER = Earlier(epoch="one", reference_s={"compute": 0.008, "core_to_core": 0.006})


def a_sweep(*, read: bool = True) -> dict[str, list[Visit]]:
    """Two networks in turn on a clock that wanders: one follows it wholly, one by half."""
    chance, clock, now_s = random.Random(1), 0.0, 0.0
    visits: dict[str, list[Visit]] = {"whole": [], "half": []}
    for _ in range(100):
        for name, exponent in (("whole", 1.0), ("half", 0.5)):
            clock += chance.gauss(0, 0.02)
            readings = []
            for _ in range(3 if read else 0):
                taken_s = (seconds * math.exp(clock + chance.gauss(0, 0.01)) for seconds in (0.008, 0.006))
                reading = a_reading(now_s, *taken_s)
                readings.append(msgspec.structs.replace(reading, clock_hz=4e9 * math.exp(-clock)))
                now_s += 0.1
            seconds = 0.05 * math.exp(exponent * clock + chance.gauss(0, 0.003))
            visits[name].append(a_visit(seconds, at_s=now_s - 0.25, readings=readings))
            now_s += 0.1
    return visits


def test_the_condition_is_one_and_the_exponents_are_each_network_s_own():
    whole, half = (found := fit(a_sweep(), LOST_SHARE, EARLIER)).values()
    assert list(found) == ["whole", "half"]
    assert whole.reference_s == half.reference_s == EARLIER.reference_s
    assert (whole.epoch, whole.lost_share) == ("one", LOST_SHARE)
    assert len(whole.conditions) == len(half.conditions) == 100
    assert abs(whole.exponents.compute - 1.0) < 0.05
    assert abs(half.exponents.compute - 0.5) < 0.05
    low_hz, high_hz = whole.clock_hz
    assert low_hz < high_hz


def test_visits_that_do_not_count_teach_nothing_but_have_a_condition():
    visits = a_sweep()
    spoiled = [
        msgspec.structs.replace(a_visit(9.0, wait_s=1.0), at_s=each.at_s, readings=each.readings)
        for each in visits["half"][:20]
    ]
    found = fit(visits | {"half": spoiled + visits["half"][20:]}, LOST_SHARE, EARLIER)["half"]
    assert len(found.conditions) == 100
    assert abs(found.exponents.compute - 0.5) < 0.06


def test_what_earlier_sweeps_said_of_a_network_is_of_that_one_alone():
    first = fit(a_sweep(), LOST_SHARE, EARLIER)
    earlier = msgspec.structs.replace(EARLIER, information={"half": [first["half"].information]})
    few = {name: visits[:30] for name, visits in a_sweep().items()}
    alone, taught = fit(few, LOST_SHARE, EARLIER), fit(few, LOST_SHARE, earlier)
    assert taught["whole"] == alone["whole"]
    assert taught["half"].exponents.log_error((1, 0)) < alone["half"].exponents.log_error((1, 0))


def test_without_readings_it_is_the_prior_of_nothing():
    found = fit(a_sweep(read=False), LOST_SHARE, EARLIER)
    assert found["whole"] == found["half"]
    basis = found["whole"]
    assert (basis.conditions, basis.exponents, basis.information, basis.clock_hz) == ([], None, None, None)
    assert (basis.reference_s, basis.epoch) == ({}, "one")


def test_a_network_of_few_visits_is_corrected_by_the_prior():
    visits = a_sweep()
    found = fit(visits | {"half": visits["half"][:3]}, LOST_SHARE, EARLIER)["half"]
    assert (found.exponents, found.information) == learn([], [])
    assert len(found.conditions) == 3


def test_no_visits_are_no_bases():
    assert fit({}, LOST_SHARE, Earlier()) == {}
