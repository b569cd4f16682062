"""What docs/trust.md says of the estimator holds on the raw visits that are kept: judged leaving one sweep out."""

from statistics import median

import pytest

from studies.trust import estimators
from studies.trust.raw import main as pack
from studies.trust.raw import read_sweeps, thirds
from studies.trust.stopping import stopped

INTEL = estimators.DATA / "intel-patience-0.jsonl.gz"


@pytest.fixture(scope="module")
def sweeps():
    return read_sweeps(INTEL)


def spreads(sweeps, estimator):
    return estimators._spreads({sweep: estimator(sweeps, sweep) for sweep in sweeps})


def test_four_sweeps_of_a_machine_that_no_number_was_chosen_on_agree(sweeps):
    alone = spreads(sweeps, estimators._others_alone)
    assert len(sweeps) == 4
    assert median(alone) <= 0.015
    assert max(alone) <= 0.035
    plain = spreads(sweeps, estimators._plain)
    assert median(alone) < median(plain) / 2


def test_the_prior_alone_is_better_than_no_correction(sweeps):
    assert median(spreads(sweeps, estimators._prior_alone)) < median(spreads(sweeps, estimators._interleaved)) / 2


def test_intervals_hold_as_often_as_they_say(sweeps):
    for estimator in (estimators._others_alone, estimators._suite):
        held, pairs, widths = estimators._coverage({sweep: estimator(sweeps, sweep) for sweep in sweeps})
        assert pairs == 72
        assert 0.90 <= held / pairs <= 0.98
        assert median(widths) < 0.03


def test_stopping_early_favours_no_number(sweeps):
    changes = [change for visits in sweeps.values() for change, _ in stopped(visits, 0.02)]
    assert len(changes) > 30
    assert abs(sum(changes) / len(changes)) < 0.003


def test_raw_visits_are_the_same_after_packing(tmp_path, sweeps, monkeypatch):
    packed = tmp_path / "packed.jsonl.gz"
    monkeypatch.setattr("sys.argv", ["raw", str(INTEL), "--out", str(packed)])
    pack()
    assert read_sweeps(packed) == sweeps


def test_thirds_of_a_sweep_hold_every_visit_once(sweeps):
    visits = next(iter(sweeps.values()))
    parts = thirds(visits)
    assert {name: sum(len(part.get(name, [])) for part in parts.values()) for name in visits} == {
        name: len(each) for name, each in visits.items()
    }
