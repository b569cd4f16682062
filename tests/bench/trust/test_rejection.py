"""Which visits count: those that this system's own counters, or the device's, don't condemn; nothing else does."""

import pytest

from bench.trust.rejection import clean_seconds, lost_s, reading_s, rejection_details, rejection_reason, value_s
from bench.trust.visit import Visit
from devices.samples import Samples
from tests.bench.made_up import LOST_SHARE, a_reading, a_visit, measured, samples

MIXED = Samples(seconds=[0.1, 0.3, 0.2, 0.9], evidence={"wait_s": [0, 0, 0, 0.5], "steal_s": [0.0] * 4})


def test_a_sample_that_waited_for_a_core_is_not_clean():
    mixed = Samples(seconds=[0.1, 0.1, 0.1], evidence={"wait_s": [0.0, 0.003, 0.0], "steal_s": [0.0, 0.0, 0.01]})
    assert clean_seconds(mixed, LOST_SHARE) == [0.1]
    assert clean_seconds(Samples(seconds=[0.1, 0.2]), LOST_SHARE) == [0.1, 0.2]
    assert lost_s(mixed) == [0.0, 0.003, 0.01]
    assert lost_s(Samples(seconds=[0.1, 0.2])) == [0.0, 0.0]


def test_waiting_and_steal_count_together():
    assert clean_seconds(samples(0.1, wait_s=0.0015, steal_s=0.0004), LOST_SHARE) == [0.1]
    assert clean_seconds(samples(0.1, wait_s=0.0015, steal_s=0.0015), LOST_SHARE) == []


@pytest.mark.parametrize(
    ("visited", "why"),
    [
        (a_visit(0.1), None),
        (a_visit(0.1, wait_s=0.05), "contended"),
        (a_visit(0.1, steal_s=0.01), "contended"),
        (a_visit(0.1, conditions=[{"throttled": "hot"}]), "throttled"),
        (a_visit(0.1, conditions=[{"contended": "process 7 uses the GPU"}]), "contended"),
        (a_visit(0.1, conditions=[{}, {"throttled": "hot", "contended": "process 7 uses the GPU"}]), "throttled"),
        (a_visit(0.1, conditions=[{"throttled": ""}]), None),
        (Visit(at_s=0, settle_s=[], samples=MIXED), None),
    ],
)
def test_a_visit_counts_unless_its_evidence_objects(visited, why):
    assert rejection_reason(visited, LOST_SHARE) == why


@pytest.mark.parametrize("evidence", [{}, {"wait_s": 0.01}])
def test_slow_readings_condemn_no_visit(evidence):
    slow = a_reading(0.0, 0.08, 0.06, **evidence)
    assert rejection_reason(a_visit(0.1, readings=[slow, slow]), LOST_SHARE) is None


@pytest.mark.parametrize(
    ("visited", "details"),
    [
        (a_visit(0.1), []),
        (a_visit(0.1, wait_s=0.05), ["threads waited for a core"]),
        (a_visit(0.1, wait_s=0.01, steal_s=0.02), ["steal by the host"]),
        (a_visit(0.1, conditions=[{"throttled": "hot"}, {"throttled": "hot"}]), ["hot"]),
        (
            a_visit(0.1, wait_s=0.05, conditions=[{"contended": "process 7 uses the GPU"}]),
            ["process 7 uses the GPU", "threads waited for a core"],
        ),
    ],
)
def test_what_was_seen_is_said_once(visited, details):
    assert rejection_details(visited, LOST_SHARE) == details


def test_a_visit_s_value_is_the_median_of_its_clean_samples_or_of_all_where_none_is_clean():
    assert value_s(Visit(at_s=0, settle_s=[], samples=MIXED), LOST_SHARE) == 0.2
    assert value_s(a_visit(0.1, 0.3, 0.2, wait_s=0.1), LOST_SHARE) == 0.2


def test_a_reading_without_a_clean_sample_says_nothing():
    assert reading_s(MIXED, LOST_SHARE) == 0.2
    assert reading_s(samples(0.1, wait_s=0.1), LOST_SHARE) is None


def test_disturbed_visits_are_kept_and_left_out_of_the_estimate():
    found = measured([a_visit(0.1)] * 8 + [a_visit(0.3, wait_s=0.2)] * 8)
    assert found.estimate.number_s == 0.1
    assert found.raw_median_s == pytest.approx(0.2)
    assert len(found.seconds) == 16
