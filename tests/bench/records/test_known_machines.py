"""What sweeps leave for those of other results folders on the same machine."""

import math

import msgspec
import pytest

from bench.records.epoch import FILE
from bench.trust.exponents import Exponents
from tests.bench.records.simulated import numbers


def basis(records):
    return records[0].measurement.basis


def exponents(records) -> list[Exponents]:
    return [record.measurement.basis.exponents for record in records]


def test_numbers_of_another_folder_refer_to_the_same_condition_which_is_said(simulate, machines, capsys):
    """A machine that is half as slow again when the second folder's first sweep begins."""
    first, one = (simulate(seed, folder="one", wander=0.03) for seed in (1, 2))
    assert capsys.readouterr().err == ""
    other = simulate(3, folder="other", slow=0.4)
    (note,) = capsys.readouterr().err.splitlines()
    assert note.startswith("note: numbers refer to the condition of the machine in its first sweep, ")
    assert first[0].sweep in note
    assert f"({machines / FILE})" in note
    assert basis(other).reference_s == basis(one).reference_s
    assert other[0].measurement.undivided.number_s > 1.4 * one[0].measurement.undivided.number_s
    assert numbers(other) == pytest.approx(numbers(one), rel=0.05)


def test_a_folder_that_knows_its_condition_does_without_and_says_nothing(simulate, tmp_path, machines, capsys):
    kept = [simulate(1, folder="one"), simulate(2, folder="other")][0]
    for file in machines.glob("**/*.json"):
        file.unlink()
    capsys.readouterr()
    for folder in ("one", "other"):
        assert basis(simulate(3, folder=folder)).reference_s == basis(kept).reference_s
    assert capsys.readouterr().err == ""
    (condition,) = msgspec.json.decode((tmp_path / "other" / FILE).read_bytes()).values()
    assert condition["sweep"] == kept[0].sweep


def test_what_one_folder_s_sweeps_learnt_the_other_s_know(simulate):
    """What a condition costs each network, and how far sweeps lie apart."""
    for seed in (1, 2):
        learnt = simulate(seed, folder="one", wander=0.03)
    new = simulate(3, folder="other", wander=0.001)
    assert basis(new).run_to_run.sweeps == 3
    for before, now in zip(exponents(learnt), exponents(new), strict=True):
        assert now.log_error((0.1, 0.0)) <= before.log_error((0.1, 0.0))
        assert now.compute == pytest.approx(before.compute, abs=0.05)


def test_sweeps_that_both_know_count_once(simulate):
    for seed in (1, 2, 3):
        (record, *_) = simulate(seed)
    assert record.measurement.basis.run_to_run.sweeps == 3


def test_sweeps_whose_numbers_refer_to_another_condition_are_left_out(simulate, tmp_path, machines, monkeypatch):
    simulate(1, folder="one")
    monkeypatch.setenv("ZENNET_MACHINES", str(tmp_path / "elsewhere"))
    own = basis(simulate(2, folder="other", slow=0.3)).reference_s
    monkeypatch.setenv("ZENNET_MACHINES", str(machines))
    simulate(3, folder="one")
    again = basis(simulate(4, folder="other"))
    assert again.reference_s == own
    assert again.run_to_run is None


@pytest.mark.parametrize("change", [{"threads": 1}, {"kernel": "another"}, {"sustained": True}])
def test_sweeps_of_other_options_or_another_epoch_are_left_out(simulate, change):
    for seed in (1, 2, 3):
        simulate(seed, folder="one", **change)
    assert basis(simulate(4, folder="other")).run_to_run is None


def test_ten_sweeps_are_kept(simulate, machines):
    for seed in range(12):
        (record, *_) = simulate(seed, folder=str(seed))
    (file,) = (path for path in machines.glob("*/*.json"))
    kept = list(msgspec.json.decode(file.read_bytes()))
    assert len(kept) == 10
    assert kept[-1] == record.sweep


def test_without_readings_nothing_is_left(simulate, machines):
    simulate(1, read=False)
    assert list(machines.glob("**/*.json")) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a":{"reference_s":{},"said":{"b":1}}}', b"\xff"])
def test_what_is_damaged_is_said_and_a_sweep_goes_on_as_if_there_was_none(simulate, machines, content, capsys):
    alone = simulate(1, folder="alone")
    for file in machines.glob("**/*.json"):
        file.write_bytes(content)
    capsys.readouterr()
    new = simulate(1, folder="new")
    notes = capsys.readouterr().err.splitlines()
    assert {note.startswith(f"note: can't read {machines}") for note in notes} == {True}
    assert numbers(new) == pytest.approx(numbers(alone))
    assert all(file.read_bytes() == content for file in machines.glob("**/*.json"))


def test_where_nothing_can_be_left_it_is_said_and_every_record_is_there(simulate, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("ZENNET_MACHINES", str(tmp_path / "file"))
    records = simulate(1, folder="new")
    assert len(records) == 3
    assert (tmp_path / "new" / FILE).exists()
    notes = capsys.readouterr().err.splitlines()
    assert notes
    assert all(note.startswith("note: can't ") and str(tmp_path / "file") in note for note in notes)
    assert notes[-1].endswith("name another folder by ZENNET_MACHINES")


def test_a_user_without_a_home_measures_all_the_same(simulate, monkeypatch, capsys):
    monkeypatch.delenv("ZENNET_MACHINES")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])
    assert len(simulate(1, folder="new")) == 3
    notes = set(capsys.readouterr().err.splitlines())
    assert notes == {"note: there is no folder for a cache: no HOME; set HOME or XDG_CACHE_HOME"}


def test_a_number_without_an_interval_is_no_obstacle(simulate, machines):
    """JSON has no infinity."""
    (record, *_) = simulate(1, visits=2)
    assert math.isinf(record.measurement.told.log_error)
    (file,) = machines.glob("*/*.json")
    (left,) = msgspec.json.decode(file.read_bytes()).values()
    assert left["said"] == {}
    assert basis(simulate(2, folder="other")).reference_s == basis([record]).reference_s
