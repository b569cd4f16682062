"""What is different for a GPU: what it says of itself, and a host that is slower than the device."""

import itertools

import msgspec
import pytest

from bench.protocol import Protocol
from bench.sweep import sweep
from bench.trust.measurement import Measurement
from bench.trust.verdict import judge
from bench.trust.visit import Visit
from devices.runtimes import fake
from devices.samples import Samples
from tests.bench.made_up import measured, visits_of


def queued(*enqueue_s: list[float]) -> Measurement:
    visits = [
        Visit(at_s=0.0, settle_s=[], samples=Samples(seconds=[0.010] * len(each), evidence={"enqueue_s": each}))
        for each in enqueue_s
    ]
    return measured(visits)


@pytest.mark.parametrize(
    ("enqueue_s", "word"),
    [
        ([0.0095, 0.0097, 0.0096], "enqueue-bound"),
        ([0.0081, 0.0082, 0.0082], "enqueue-bound"),
        ([0.0079, 0.0082, 0.0082], "stable"),
        ([0.0012, 0.0100, 0.0100], "stable"),  # the launch queue is full: the host waits for the GPU
        ([0.0012, 0.0013, 0.0012], "stable"),
    ],
)
def test_a_host_that_queues_slower_than_the_gpu_computes_is_marked(enqueue_s, word):
    verdict = judge(queued(*[enqueue_s] * 6), Protocol())
    assert verdict.word == word
    if word == "enqueue-bound":
        assert f"{min(enqueue_s) / 0.010:.0%} of the GPU's time" in verdict.detail


def test_one_slow_visit_of_many_does_not_mark_it():
    assert judge(queued([0.0095], *[[0.001]] * 5), Protocol()).word == "stable"


def test_a_slow_host_is_named_only_where_the_number_itself_is_good():
    assert judge(queued(*[[0.0095]] * 3), Protocol()).word == "too few samples"


@pytest.mark.parametrize(("key", "says"), [("throttled", "cool the device"), ("contended", "nothing else runs")])
def test_what_the_device_says_of_itself_is_the_verdict(key, says):
    verdict = judge(measured(visits_of([0.01] * 8, conditions=[{key: "as the driver says"}])), Protocol())
    assert verdict.word == key
    assert "as the driver says in 8 of them" in verdict.detail
    assert says in verdict.detail


def throttled_by(monkeypatch, *reasons):
    """Every run of a fake session tells the next of these readings."""
    told = itertools.cycle(reasons)
    run = fake.FakeSession.run
    monkeypatch.setattr(
        fake.FakeSession,
        "run",
        lambda self, count: msgspec.structs.replace(run(self, count), conditions=[next(told)]),
    )


def test_a_network_whose_visits_all_fail_for_one_reason_is_given_up_and_the_reason_named(order, monkeypatch):
    throttled_by(monkeypatch, {"throttled": "software thermal slowdown"})
    for record in sweep(order("*t-B3", "*t-B5", budget_s=1e6)):
        assert len(record.measurement.visits) == Protocol().hopeless_visits
        assert record.verdict.word == "throttled"
        assert "software thermal slowdown in 20 of them" in record.verdict.detail


@pytest.mark.parametrize("others", [{}, {"contended": "process 99 on the GPU"}])
def test_it_goes_on_where_a_visit_counts_or_they_fail_for_several_reasons(order, monkeypatch, others):
    # A visit of B3 has two runs here: the first settles or counts, the other samples.
    throttled_by(monkeypatch, *[{"throttled": "hardware power brake"}] * 6, *[others] * 2)
    (record,) = sweep(order("*t-B3", budget_s=1e6, max_visits=40))
    assert len(record.measurement.visits) > Protocol().hopeless_visits
