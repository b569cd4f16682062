"""The table of OpenVINO beside ONNX Runtime, from made-up outcomes."""

from bench.duet.outcome import NetworkOutcome, Outcome
from bench.duet.ratio import Ratio
from devices.targets import find_targets
from studies.openvino_against_onnxruntime import PAIRS, table


def network(name, ratio, different, *, tested=True):
    interval = {"low": ratio * 0.99, "high": ratio * 1.01, "log_error": 0.005, "sampling_error": 0.004}
    return NetworkOutcome(
        model=name,
        old_s=0.020,
        new_s=0.010,
        estimate=Ratio(ratio=ratio, process_error=0.003, freedom=10.0, **interval) if tested else None,
        turns=12,
        counted=12,
        p_different=None,
        different=different,
        p_slower=None,
        slower=None,
        change="can't say: 1 turns are too few",
    )


def test_each_network_has_a_row_that_says_which_is_faster():
    networks = [
        network("won", 0.607, True),
        network("lost", 1.5, True),
        network("even", 1.001, False),
        network("untested", 1.0, None, tested=False),
    ]
    outcome = Outcome(
        duet="1", target="openvino", against=[], outcome="different", test="", fail_if_slower_percent=None, errors=[],
        networks=networks, together=None,
    )  # fmt: skip
    lines = list(table(outcome))
    rows = {row[1]: row for row in ([cell.strip() for cell in line.split("|")] for line in lines) if len(row) > 2}
    assert rows["won"][2:5] == ["20.00", "10.00", "0.607"]
    assert [rows[name][6] for name in ("won", "lost", "even")] == ["OpenVINO", "ONNX Runtime", "can't be told apart"]
    assert rows["untested"][4:7] == ["", "", "can't say: 1 turns are too few"]
    assert lines[-1] == "OpenVINO is faster on 1 of 3 networks that have an interval: won."


def test_both_targets_of_a_pair_load_the_same_file():
    for new, old in PAIRS.items():
        (new_target,), (old_target,) = find_targets(new), find_targets(old)
        same = ("format", "precision", "batch", "device")
        assert [getattr(new_target, field) for field in same] == [getattr(old_target, field) for field in same]
        assert new_target.options["threads"] == old_target.options["threads"]
