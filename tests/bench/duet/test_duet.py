import dataclasses
import json
import sys
from pathlib import Path

import pytest

from bench.duet.against import Against
from bench.duet.duet import play
from bench.duet.ledger import DuetLedger
from bench.duet.processes import OpenPair
from bench.duet.ratio import fit
from bench.duet.record import DUET_SCHEMA, read_duets
from bench.duet.settings import DuetSettings
from devices.host.conditions import machine
from devices.other_python import describe
from devices.targets import find_targets
from models import find
from system.errors import UserError

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)@32"
NOISY, NOISY_TOO = [0.1, 0.101, 0.099, 0.1005, 0.103], [0.101, 0.1, 0.102, 0.0985]


def test_the_ratio_of_exact_seconds_is_exact(request_for, duets_file):
    duets = play(request_for(old={"*t-B3": 0.04, "*": 0.1}, new={"*t-B3": 0.05, "*": 0.1}))
    found = {duet.model.name: duet for duet in duets}
    assert found["EfficientNet-B3"].estimate.ratio == pytest.approx(1.25, rel=1e-12)
    assert found["EfficientNet-B3"].different
    assert [duet.estimate.ratio for duet in duets if not duet.different] == [pytest.approx(1)] * (len(duets) - 1)
    assert read_duets(duets_file) == duets
    assert not duets_file.with_suffix(".journal").exists()


def test_every_network_gets_its_turns_however_small_the_budget(request_for):
    duets = play(request_for("*t-B3", "*t-B5", old={"*": NOISY}, new={"*": NOISY_TOO}, budget_s=0.001))
    assert [len(duet.turns) for duet in duets] == [12, 12]
    assert [len(pair) for pair in duets[0].log_ratios()] == [4, 4, 4]


def test_a_budget_beyond_that_goes_to_the_network_that_needs_it(request_for):
    old, new = ({"*t-B3": 0.01, "*t-B5": noise} for noise in (NOISY, NOISY_TOO))
    steady, unsteady = play(request_for("*t-B3", "*t-B5", old=old, new=new, budget_s=60.0))
    assert len(steady.turns) == 12
    assert sum(turn.took_s for turn in unsteady.turns) == pytest.approx(60, rel=0.05)


def test_fast_networks_are_counted_until_a_visit_is_filled(request_for):
    fast, slow = play(request_for("*t-B3", "*t-B5", old={"*t-B3": 0.002, "*": 0.2}, new={"*t-B3": 0.004, "*": 0.2}))
    for side in ("old", "new"):
        assert {len(getattr(turn, side).samples.seconds) for turn in fast.turns} == {10}
        assert {len(getattr(turn, side).settle_s) for turn in fast.turns} == {1}
        assert {len(getattr(turn, side).samples.seconds) for turn in slow.turns} == {1}
        assert {len(getattr(turn, side).settle_s) for turn in slow.turns} == {0}


def test_processes_start_afresh_for_each_pair_and_take_turns_in_starting_first(request_for):
    duets = play(request_for(old={"*": NOISY}, new={"*": NOISY_TOO}))
    for duet in duets:
        assert [pair.number for pair in duet.process_pairs] == [0, 1, 2]
        assert duet.process_pairs[0].first == duet.process_pairs[2].first != duet.process_pairs[1].first
        assert all(pair.old_warmup_s and pair.new_warmup_s for pair in duet.process_pairs)
    assert len({duet.process_pairs[0].first for duet in duets}) == 2


def test_networks_are_interleaved_in_an_order_that_the_seed_decides(request_for):
    def order(seed: int) -> list[str]:
        # No whole number of turns fills the budget: the virtual clock's rounding must not decide whether one more fits.
        duets = play(request_for(old={"*": NOISY}, new={"*": NOISY_TOO}, seed=seed, budget_s=60.05))
        return [name for _, name in sorted((turn.at_s, duet.model.name) for duet in duets for turn in duet.turns)]

    first = order(1)
    assert len(set(first[:24])) == 12
    assert first == order(1) != order(2)


def test_a_record_can_be_estimated_again_from_its_raw_times(request_for, duets_file):
    play(request_for(old={"*": NOISY}, new={"*": NOISY_TOO}))
    duets = read_duets(duets_file)
    again = fit({duet.model.name: duet.log_ratios() for duet in duets}, duets[0].settings)
    assert list(again.values()) == [duet.estimate for duet in duets]
    assert {duet.duet for duet in duets} == {duets[0].duet}
    assert duets[0].conditions.keys() == {"machine", "start", "end"}


def test_a_side_that_fails_is_a_record_with_its_reason_and_the_others_go_on(request_for):
    request = request_for("*t-B3", "*t-B5", old={"*": 0.1}, new={"*": 0.1}, fail_new={"*t-B3": "out of memory"})
    lost, measured = play(request)
    assert (lost.lost.side, lost.estimate, lost.turns) == ("new", None, [])
    assert "out of memory" in lost.lost.reason
    assert measured.estimate.ratio == pytest.approx(1)


def interrupt_after(monkeypatch, turns: int) -> None:
    taken = 0
    take = OpenPair.turn

    def counting(*arguments):
        nonlocal taken
        taken += 1
        if taken > turns:
            raise KeyboardInterrupt
        return take(*arguments)

    monkeypatch.setattr(OpenPair, "turn", counting)


@pytest.mark.parametrize("turns", [0, 1, 30, 250])
def test_ctrl_c_leaves_what_was_measured(request_for, duets_file, monkeypatch, turns):
    interrupt_after(monkeypatch, turns)
    with pytest.raises(KeyboardInterrupt):
        play(request_for(old={"*": NOISY}, new={"*": NOISY_TOO}, budget_s=1000))
    assert sum(len(duet.turns) for duet in read_duets(duets_file)) == turns
    assert not duets_file.with_suffix(".journal").exists()


def test_what_a_killed_duet_measured_is_kept_by_the_next_one(request_for, duets_file, monkeypatch):
    with monkeypatch.context() as killed:
        interrupt_after(killed, 100)
        killed.setattr(DuetLedger, "end", lambda ledger: [])
        with pytest.raises(KeyboardInterrupt):
            play(request_for("*t-B3", "*t-B5", old={"*": NOISY}, new={"*": NOISY_TOO}, budget_s=1000))
    journal = duets_file.with_suffix(".journal")
    journal.write_bytes(journal.read_bytes()[:-20])  # the last line was torn
    (next_one,) = play(request_for("*t-B6", old={"*": NOISY}, new={"*": NOISY_TOO}))
    duets = read_duets(duets_file)
    assert {duet.duet for duet in duets[:2]} != {next_one.duet}
    assert sum(len(duet.turns) for duet in duets[:2]) == 99
    assert all(duet.process_pairs and duet.estimate for duet in duets[:2])
    assert duets[2:] == [next_one]


def killed_at_its_end(request_for, monkeypatch, written=None):
    """A duet killed once all turns were taken, or once it had written the first record."""
    with monkeypatch.context() as killed:
        end = DuetLedger.end
        killed.setattr(DuetLedger, "end", lambda ledger: written and end_with_one(end, ledger))
        play(request_for("*t-B3", "*t-B5", old={"*": 0.1}, new={"*": 0.1}))


def end_with_one(end, ledger):
    journal, kept = ledger.file.with_suffix(".journal"), ledger.runs
    content = journal.read_bytes()
    ledger.runs = dict(list(kept.items())[:1])
    end(ledger)
    journal.write_bytes(content)


def test_a_duet_killed_while_it_wrote_its_records_has_each_once(request_for, duets_file, monkeypatch):
    killed_at_its_end(request_for, monkeypatch, written=True)
    assert [duet.model.name for duet in read_duets(duets_file)] == ["EfficientNet-B3"]
    play(request_for("*t-B6", old={"*": 0.1}, new={"*": 0.1}))
    assert [duet.model.name for duet in read_duets(duets_file)] == [f"EfficientNet-B{number}" for number in (3, 5, 6)]


def test_a_journal_whose_duet_can_not_be_read_is_put_aside(request_for, duets_file, monkeypatch, capsys):
    killed_at_its_end(request_for, monkeypatch)
    journal = duets_file.with_suffix(".journal")
    journal.write_bytes(journal.read_bytes()[40:])
    content = journal.read_bytes()
    (duet,) = play(request_for("*t-B6", old={"*": 0.1}, new={"*": 0.1}))
    assert read_duets(duets_file) == [duet]
    (aside,) = journal.parent.glob("fake.journal-*")
    assert aside.read_bytes() == content
    assert f"unreadable duet in {journal}, kept as {aside}" in capsys.readouterr().err


def test_two_duets_never_write_one_file(request_for, duets_file):
    from filelock import FileLock

    duets_file.parent.mkdir(parents=True)
    with FileLock(duets_file.with_suffix(".lock")), pytest.raises(UserError, match="another process writes"):
        play(request_for("*t-B3", old={"*": 0.1}, new={"*": 0.1}))


def test_records_of_a_newer_version_are_refused_and_torn_ones_passed_over(request_for, duets_file, capsys):
    duets = play(request_for("*t-B3", old={"*": 0.1}, new={"*": 0.1}))
    line = duets_file.read_bytes()
    duets_file.write_bytes(line + line[:100] + b"\n" + line)
    assert read_duets(duets_file) == duets * 2
    assert "1 unreadable lines passed over" in capsys.readouterr().err
    newer = json.loads(line) | {"schema": DUET_SCHEMA + 1}
    duets_file.write_text(json.dumps(newer) + "\n")
    with pytest.raises(UserError, match="newer version"):
        read_duets(duets_file)


def test_another_python_s_environment_is_the_old_side(request_for, duets_file):
    (cpu,) = find_targets("cpu")
    python = Path(sys.executable)
    request = request_for("*t-B3", old={}, new={})
    # Whatever else runs here must not decide whether there is a ratio.
    settings = DuetSettings(process_pairs=1, min_turns=10, budget_s=0.001, lost_share=1e9)
    changed = {"new": cpu, "old": cpu, "against": Against(python=python), "models": find(TINY), "settings": settings}
    (duet,) = play(dataclasses.replace(request, **changed, old_machine=describe(python, cpu)))
    assert duet.lost is None
    assert duet.estimate.ratio > 0
    assert (duet.old.python, duet.new.python) == (str(python), None)
    assert duet.old.machine["versions"] == machine().versions
    assert duet.old.ran_on == duet.new.ran_on
    assert duet.old.artifact == duet.new.artifact
