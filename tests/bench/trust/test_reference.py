"""The reference workloads: their readings, and one whose process dies, which is never a network's fault."""

import pytest

from bench.trust import reference
from bench.trust.reference import Reference, Workload, reference_artifacts
from bench.trust.visit import COMPUTE, CORE_TO_CORE, Reading
from devices.samples import Samples
from devices.targets import find_targets
from devices.worker import SessionLost
from models import UserError


class Mortal:
    """A session that runs so often, then is gone."""

    def __init__(self, runs: int) -> None:
        self.runs, self.closed = runs, False

    def run(self, count: int) -> Samples:
        if self.runs == 0:
            raise SessionLost("killed, most likely out of memory")
        self.runs -= 1
        return Samples(seconds=[0.008] * count)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def workload(monkeypatch):
    """Makes a workload of sessions that live so long, one after the other; none is left after them."""

    def make(*lives: int) -> tuple[Workload, list[Mortal]]:
        sessions = [Mortal(runs) for runs in lives]
        waiting = iter(sessions)

        def open_next(artifact, target, *, timeout_s):
            session = next(waiting, None)
            if session is None:
                raise SessionLost("hung: no answer within 600 s")
            return session

        monkeypatch.setattr(reference, "open_session", open_next)
        return Workload(None, None, timeout_s=600), sessions

    return make


def test_one_that_dies_is_loaded_once_more(workload):
    made, (first, second) = workload(1, 2)
    assert [made.run(2).seconds for _ in range(3)] == [[0.008] * 2] * 3
    assert (first.closed, second.closed) == (True, False)
    made.close()
    assert second.closed


@pytest.mark.parametrize(("lives", "says"), [((0, 0), "killed"), ((0,), "hung"), ((), "hung")])
def test_one_that_can_not_be_run_is_one_error(workload, lives, says):
    with pytest.raises(UserError, match=f"a reference workload can't be run: {says}.*--resume"):
        workload(*lives)[0].run(1)


def test_without_onnx_runtime_there_is_no_reference(monkeypatch, tmp_path):
    monkeypatch.setattr(reference.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="it is not installed"):
        reference_artifacts(find_targets("cpu-torch")[0], tmp_path)
    assert reference_artifacts(find_targets("fake")[0], tmp_path) == {}


class Counting:
    """A workload that takes longer each time, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def run(self, count: int) -> Samples:
        self.asked.append(count)
        return Samples(seconds=[0.001 * len(self.asked)] * count)


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def read():
    """A reference with its workloads and its clock."""
    workloads, clock = {COMPUTE: Counting(), CORE_TO_CORE: Counting()}, Clock()
    return Reference(workloads), workloads, clock


def test_a_reading_is_led_by_a_run_that_does_not_count(read):
    made, workloads, clock = read
    clock.now_s = 3.0
    reading = made.read(clock)
    assert (workloads[COMPUTE].asked, workloads[CORE_TO_CORE].asked) == ([1, 1], [1, 3])
    assert reading.workloads[COMPUTE].seconds == [0.002]
    assert reading.workloads[CORE_TO_CORE].seconds == [0.002] * 3
    assert reading.at_s == 3.0
    assert 1e8 < reading.clock_hz < 1e10


def test_a_fresh_reading_after_one_visit_is_the_one_before_the_next(read):
    made, _, clock = read
    (last,) = made.after(clock)
    clock.now_s = 0.04
    assert made.before(clock) == [last]
    clock.now_s = 0.06
    (new,) = made.before(clock)
    assert (new.at_s, new.workloads != last.workloads) == (0.06, True)


def test_without_workloads_there_are_no_readings():
    assert Reference().before(Clock()) == Reference().after(Clock()) == []


class Gatherer:
    """Takes note of what it is told; wants to try once."""

    def __init__(self) -> None:
        self.added, self.gathered, self.judged = [], 0, []

    def add(self, reading: Reading) -> None:
        self.added.append(reading)

    def wanted(self, reading: Reading, elapsed_s: float) -> bool:
        return self.gathered == 0

    def gather(self) -> None:
        self.gathered += 1

    def judge(self, before: Reading, after: Reading) -> None:
        self.judged.append((before, after))


def test_an_attempt_to_bring_cores_together_is_judged_by_the_readings_around_it():
    gatherer, clock = Gatherer(), Clock()
    made = Reference({COMPUTE: Counting(), CORE_TO_CORE: Counting()}, gatherer)
    before, after = made.before(clock)
    assert gatherer.judged == [(before, after)]
    assert gatherer.added == [before, after]
    assert len(made.before(clock)) == 1
    assert gatherer.gathered == 1
