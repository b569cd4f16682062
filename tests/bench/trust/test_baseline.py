"""What the reference works take on the undisturbed machine, learned from this sweep and the last ones."""

import msgspec
import pytest

from bench.protocol import Protocol
from bench.trust.baseline import Baseline, best_of_earlier
from bench.trust.rejection import Visit
from devices.samples import Samples

PROTOCOL = Protocol(arithmetic_tolerance=0.02)
HERE = {"cpu": "one", "threads": 2, "versions": {"onnxruntime": "1.0"}}


def a_visit(reading_s: float, wait_s: float = 0.0) -> Visit:
    reading = {"arithmetic": Samples(seconds=[reading_s], evidence={"wait_s": [wait_s]})}
    return Visit(at_s=0.0, settle_s=[], samples=Samples(seconds=[0.1]), before=reading, after=reading)


def limits_of(*visits: Visit, best_s=None):
    baseline = Baseline(PROTOCOL, best_s or {})
    for visited in visits:
        baseline.add(visited)
    return baseline.limits()


def test_it_is_the_fast_tenth_of_the_clean_readings():
    visits = [a_visit(0.008 + index * 1e-5) for index in range(20)]
    assert limits_of(*visits).reference_s["arithmetic"] == pytest.approx(0.00802)
    assert limits_of(*visits, a_visit(0.001, wait_s=0.001)).reference_s["arithmetic"] == pytest.approx(0.00802)


def test_a_few_readings_say_nothing():
    assert limits_of(a_visit(0.008), a_visit(0.008)).reference_s == {}
    assert limits_of(*[a_visit(0.008, wait_s=0.004)] * 50).reference_s == {}


def test_until_it_has_readings_of_its_own_a_sweep_knows_what_earlier_ones_saw():
    limits = limits_of(a_visit(0.009), best_s={"arithmetic": 0.008})
    assert (limits.reference_s, limits.fastest_s) == ({"arithmetic": 0.008}, {})
    assert limits.run_to_run == PROTOCOL.run_to_run


def test_a_sweep_is_held_to_what_earlier_ones_saw():
    slow = [a_visit(0.009)] * 10
    assert limits_of(*slow).reference_s == {"arithmetic": 0.009}
    held = limits_of(*slow, best_s={"arithmetic": 0.008})
    assert (held.reference_s, held.fastest_s) == ({"arithmetic": 0.008}, {"arithmetic": 0.009})
    assert limits_of(*slow, best_s={"arithmetic": 0.0095}).reference_s == {"arithmetic": 0.009}


def line(sweep: str, fastest_s: float | None, machine=HERE) -> bytes:
    limits = {"lost_share": 0.02, "fastest_s": {"arithmetic": fastest_s}}
    measurement = None if fastest_s is None else {"limits": limits}
    return msgspec.json.encode({"sweep": sweep, "conditions": {"machine": machine}, "measurement": measurement}) + b"\n"


def test_earlier_sweeps_on_this_machine_are_remembered_until_five_others_followed(tmp_path):
    file = tmp_path / "cpu.jsonl"
    elsewhere = HERE | {"versions": {"onnxruntime": "2.0"}}
    lines = [line("a", 0.007), line("b", 0.008), line("b", None), line("x", 0.001, elsewhere), b"{torn\n"]
    file.write_bytes(b"".join(lines))
    assert best_of_earlier(file, HERE, but="") == {"arithmetic": 0.007}
    assert best_of_earlier(file, HERE, but="a") == {"arithmetic": 0.008}
    assert best_of_earlier(file, HERE | {"cpu": "another"}, but="") == {}
    file.write_bytes(b"".join(lines + [line(name, 0.009) for name in "cdef"]))
    assert best_of_earlier(file, HERE, but="") == {"arithmetic": 0.008}
    assert best_of_earlier(tmp_path / "none.jsonl", HERE, but="") == {}
