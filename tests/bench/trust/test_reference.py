"""A reference work whose process dies: loaded once more, and never a network's fault."""

import pytest

from bench.trust import reference
from bench.trust.reference import Work, reference_artifacts
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
def work(monkeypatch):
    """Makes a work of sessions that live so long, one after the other; none is left after them."""

    def make(*lives: int) -> tuple[Work, list[Mortal]]:
        sessions = [Mortal(runs) for runs in lives]
        waiting = iter(sessions)

        def open_next(artifact, target, *, timeout_s):
            session = next(waiting, None)
            if session is None:
                raise SessionLost("hung: no answer within 600 s")
            return session

        monkeypatch.setattr(reference, "open_session", open_next)
        return Work(None, None, timeout_s=600), sessions

    return make


def test_one_that_dies_is_loaded_once_more(work):
    made, (first, second) = work(1, 2)
    assert [made.run(2).seconds for _ in range(3)] == [[0.008] * 2] * 3
    assert (first.closed, second.closed) == (True, False)
    made.close()
    assert second.closed


@pytest.mark.parametrize(("lives", "says"), [((0, 0), "killed"), ((0,), "hung"), ((), "hung")])
def test_one_that_can_not_be_run_is_one_error(work, lives, says):
    with pytest.raises(UserError, match=f"a reference work can't be run: {says}.*--resume"):
        work(*lives)[0].run(1)


def test_without_onnx_runtime_there_is_no_reference(monkeypatch, tmp_path):
    monkeypatch.setattr(reference.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="it is not installed"):
        reference_artifacts(find_targets("cpu-torch")[0], tmp_path)
    assert reference_artifacts(find_targets("fake")[0], tmp_path) == {}
