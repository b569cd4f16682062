"""What docs/trust.md says of the estimator holds on the raw visits that are kept: judged leaving one sweep out."""

from statistics import median

import msgspec
import pytest

from bench.duet.against import Against
from bench.duet.duet import play
from bench.duet.request import DuetRequest
from bench.duet.settings import DuetSettings
from devices.targets import find_targets
from models import find
from studies.trust import duets, estimators, judging
from studies.trust.raw import main as pack
from studies.trust.raw import read_sweeps, thirds
from studies.trust.stopping import stopped

INTEL = estimators.DATA / "intel-patience-0.jsonl.gz"


@pytest.fixture(scope="module")
def sweeps():
    return read_sweeps(INTEL)


def spreads(sweeps, estimator):
    return judging.spreads({sweep: estimator(sweeps, sweep) for sweep in sweeps})


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
        held, pairs, widths = judging.coverage({sweep: estimator(sweeps, sweep) for sweep in sweeps})
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


def test_thirds_of_one_sweep_are_not_estimated_as_those_of_another(sweeps):
    for visits in sweeps.values():
        # Nothing else keeps the thirds, so that the next ones may lie where these did.
        found = estimators._prior_alone(thirds(visits), "third 1")
        assert all(len(each.basis.conditions) == len(each.visits) for each in found.values())


def test_duets_of_a_planted_slowdown_and_of_equals_are_counted_apart(capsys, tmp_path):
    fake = msgspec.structs.replace(find_targets("fake")[0], options={"seconds": {"*": [0.1, 0.101, 0.099]}})
    kept = tmp_path / "kept.jsonl.gz"
    measured = []
    for seed, share in enumerate((0.0, 0.05, 0.0)):
        measured += play(
            DuetRequest(
                new=duets._slowed(fake, share),
                old=fake,
                against=Against(),
                said=[],
                models=find("*t-B[35]"),
                settings=DuetSettings(budget_s=20, seed=seed),
                results=tmp_path,
                artifacts=tmp_path / "artifacts",
            )
        )
    duets._keep(measured, kept)
    duets.print_table(duets._kept([kept]))
    equals, planted = capsys.readouterr().out.splitlines()[2:]
    assert equals.startswith("| 0% | 2 | 2 |")
    assert equals.endswith("| 0 of 4 | 0 | 0 | 0 of 2 | 0 of 2 | 1.000 to 1.000 | 0 |")
    assert planted.startswith("| 5% | 1 | 2 |")
    assert planted.endswith("| 2 of 2 | 2 | 0 | 1 of 1 | 1 of 1 | 1.050 to 1.050 | 0 |")
