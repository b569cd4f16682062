"""A Ray cluster on this machine: what `python -m devices --ray` says of its host."""

import threading

import pytest

from devices.fleet.inspection import Wanted
from devices.fleet.inspector import Inspector
from devices.fleet.survey import PROGRAM, survey
from devices.targets import find_targets
from system.cluster import Demand
from system.cluster_connection import connected

pytest.importorskip("ray")


@pytest.fixture(scope="module")
def cluster():
    with connected("local") as cluster:
        yield cluster


def test_a_host_whose_cores_are_all_taken_answers(cluster):
    (fake,), (v100,) = find_targets("fake"), find_targets("v100")
    held = cluster.hold(Demand({}, whole_host=True), Inspector, name="a sweep", stop=threading.Event(), limit_s=60.0)
    try:
        users = cluster.users()
        (found,) = survey(cluster, [Wanted(target=fake, environment="cpu"), Wanted(target=v100, environment="v100")])
    finally:
        held.close()
    assert found.error == ""
    assert found.said.facts.cores >= 1
    reasons = {each.target: each.reason for each in found.said.absences}
    assert reasons["fake"] is None
    assert reasons["v100"]
    assert users == [(found.node.host, "a sweep")]
    assert PROGRAM not in dict(users).values()


class Unheard:
    """A program that a host doesn't have."""

    def __reduce__(self):
        return __import__, ("no_such_module",)


def test_a_host_that_has_no_suite_says_so(cluster, monkeypatch):
    monkeypatch.setattr("devices.fleet.survey.Inspector", Unheard())
    (found,) = survey(cluster, [])
    assert found.said is None
    assert found.error.startswith("a host can't start the suite: ")
    assert "\n" not in found.error
