"""A cluster of made-up hosts: what each answers, and what is said of one that doesn't."""

import json
import re
import threading
from concurrent.futures import Future
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import devices.fleet.command as command
from devices.fleet.inspection import Absence, Facts, Inspected, Phone, Wanted
from devices.fleet.inspector import Inspector
from devices.fleet.survey import survey
from devices.targets import find_targets
from system.cluster import LineLost, Node
from system.errors import UserError

READY = {"cpu": None, "v100": "no NVIDIA driver"}
FACTS = Facts(
    cores=4,
    memory_bytes=16 * 10**9,
    gpus=["Tesla V100", "Tesla V100"],
    phones=[Phone(serial="HT1", state="device", model="Pixel_2"), Phone(serial="HT2", state="offline", model="")],
)


def answer_of(absences, facts=FACTS):
    those = [Absence(target=name, reason=reason) for name, reason in absences.items()]
    return msgspec.json.encode(Inspected(facts=facts, absences=those))


class Hosts:
    """Hosts by name: the answer of each, or the error that it ends in."""

    def __init__(self, **answers):
        self.answers, self.held, self.closed = answers, [], []
        self.together = threading.Barrier(len(answers))

    def nodes(self):
        offered = {"CPU": 8.0, "memory": 1e9, "node:1": 1.0, "pixel2": 2.0}
        return [Node(f"node-{name}", name, offered) for name in self.answers]

    def users(self):
        return [("alpha", "v100"), ("alpha", "exports"), ("alpha", "devices --ray"), ("elsewhere", "cpu")]

    def hold(self, demand, start, *, name, stop, limit_s):
        host = demand.node.removeprefix("node-")
        self.held.append(demand)
        self.together.wait(20)  # as long as the hosts weren't asked at once
        answer = self.answers[host]
        if answer == "never starts":
            assert stop.wait(20)
            raise UserError("the wait for a host was ended", found="an interruption", fix="--resume")
        if isinstance(answer, UserError):
            raise answer
        assert start is Inspector
        answered = Future()
        answered.set_exception(answer) if isinstance(answer, Exception) else answered.set_result(answer)
        return SimpleNamespace(ask=lambda question: answered, close=lambda: self.closed.append(host))


@pytest.fixture
def targets():
    return [*find_targets("cpu"), *find_targets("v100"), *find_targets("fake")]


@pytest.fixture
def wanted(targets):
    return [Wanted(target=target, environment="cpu") for target in targets]


@pytest.fixture
def listed(monkeypatch, capsys):
    """The output of `python -m devices ARGUMENTS --ray` on made-up hosts."""
    from contextlib import nullcontext

    from devices.__main__ import main

    def run(hosts, *arguments):
        monkeypatch.setattr(command, "connected", lambda address, runtime_env: nullcontext(hosts))
        monkeypatch.setattr("sys.argv", ["devices", *arguments, "--ray"])
        assert main() == 0
        return capsys.readouterr().out

    return run


def test_hosts_are_asked_at_once_without_any_of_their_cores(wanted):
    hosts = Hosts(beta=answer_of(READY), alpha=answer_of(READY))
    assert [each.node.host for each in survey(hosts, wanted)] == ["alpha", "beta"]
    assert all(not demand.resources and not demand.whole_host for demand in hosts.held)
    assert sorted(hosts.closed) == ["alpha", "beta"]


def test_a_host_that_fails_costs_its_own_answer_only(wanted):
    hosts = Hosts(
        alpha=answer_of(READY),
        beta=UserError("a host can't start the suite", found="No module named 'devices'", fix="install it"),
        gamma=LineLost("its host is gone"),
        delta=b"\xff nonsense",
        epsilon="never starts",
    )
    found = {each.node.host: each for each in survey(hosts, wanted, start_s=0.3)}
    assert found["alpha"].said.facts == FACTS
    assert found["beta"].error == "a host can't start the suite: No module named 'devices'; install it"
    assert found["gamma"].error == "its host is gone"
    assert found["delta"].error.startswith("its answer can't be read: ")
    assert found["epsilon"].error == "no program started within 0.3 s"
    assert sorted(hosts.closed) == ["alpha", "delta", "gamma"]


@given(
    st.binary(max_size=60) | st.builds(lambda each: json.dumps(each).encode(), st.dictionaries(st.text(), st.text()))
)
def test_whatever_a_host_answers_is_read_or_refused(answer):
    (found,) = survey(Hosts(alpha=answer), [])
    assert found.said is None
    assert found.error.startswith("its answer can't be read: ")


def test_only_targets_that_some_host_can_run_are_listed(listed):
    beta = answer_of({"cpu": "too old", "v100": "no GPU"})
    out = listed(Hosts(alpha=answer_of({"cpu": None, "v100": "no GPU"}), beta=beta))
    hosts, _, rows = out.partition("\n\n")
    offers = "CPU 8, pixel2 2"
    facts = ("4", "16 GB", "2 x Tesla V100", "HT1 (Pixel 2), HT2 (offline)", offers, "v100, exports", "runs")
    assert re.split(r" {2,}", hosts.splitlines()[1]) == ["alpha", *facts]
    assert [line.split()[0] for line in rows.splitlines()] == ["target", "cpu", "cpu"]
    assert rows.splitlines()[1].endswith("  alpha  ready")
    assert rows.splitlines()[2].endswith("  beta   too old")


def test_of_targets_that_are_named_the_reasons_are_listed(listed):
    hosts = Hosts(alpha=answer_of({"v100": "no GPU"}), beta=LineLost("its host is gone"))
    out = listed(hosts, "v100", "t4")
    assert out.splitlines()[2].endswith("  its host is gone")
    assert out.splitlines()[-2].endswith("  alpha  no GPU")
    assert out.splitlines()[-1].endswith("  no host answered")


def test_hosts_that_say_the_same_are_one_row(listed):
    hosts = Hosts(**{f"host{number}": answer_of({"cpu": None}) for number in range(9)})
    assert listed(hosts, "cpu").splitlines()[-1].endswith("  host0, host1, host2, host3 and 5 more  ready")


def test_what_a_host_says_can_not_steer_the_terminal(listed):
    hosts = Hosts(alpha=answer_of({"cpu": "a\x1b[2Jb\nc"}, msgspec.structs.replace(FACTS, gpus=["\x1b]0;x\x07"])))
    out = listed(hosts, "cpu")
    assert "\x1b" not in out
    assert "a\\x1b[2Jb\\nc" in out


def test_as_json(listed):
    out = json.loads(listed(Hosts(alpha=answer_of(READY), beta=LineLost("its host is gone")), "cpu", "--json"))
    alpha, beta = out["hosts"]
    assert alpha["facts"]["phones"][0] == {"serial": "HT1", "state": "device", "model": "Pixel_2"}
    assert (alpha["used_by"], alpha["error"]) == (["v100", "exports"], None)
    assert (beta["facts"], beta["error"], beta["used_by"]) == (None, "its host is gone", [])
    (cpu,) = out["targets"]
    assert cpu["on"] == [{"host": "alpha", "node": "node-alpha", "available": True, "absence": None}]
