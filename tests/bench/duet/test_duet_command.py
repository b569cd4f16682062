import json
import os
import signal
import subprocess
import sys
import time

import pytest

from bench.duet.record import read_duets

SLOWER_B3 = 'option:seconds={"*t-B3"=0.055,"*"=0.1}'
SAME_B3 = 'option:seconds={"*t-B3"=0.057,"*"=0.1}'


@pytest.fixture
def bench(tmp_path, artifacts):
    def run(*arguments: object) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "bench", *map(str, arguments)]
        command += ["--results", str(tmp_path / "results"), "--artifacts", str(artifacts)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


def test_a_duet_is_printed_and_kept(bench, duets_file):
    ended = bench("fake", "--model", "*t-B3", "--against", SLOWER_B3)
    assert ended.returncode == 0
    assert "3.6% slower" in ended.stdout
    assert "1.0364" in ended.stdout
    (kept,) = read_duets(duets_file)
    assert kept.against == [SLOWER_B3]
    assert not list(duets_file.parent.parent.glob("*.jsonl"))


@pytest.mark.parametrize(("percent", "code", "outcome"), [(0, 1, "slower"), (3, 1, "slower"), (5, 0, "not slower")])
def test_the_gate_fails_where_one_is_slower_than_its_threshold(bench, percent, code, outcome):
    ended = bench("fake", "--model", "*t-B3", "--against", SLOWER_B3, "--fail-if-slower", percent, "--json")
    assert ended.returncode == code
    document = json.loads(ended.stdout)
    assert document["outcome"] == outcome
    assert document["networks"][0]["slower"] is (code == 1)
    assert document["networks"][0]["estimate"]["ratio"] == pytest.approx(57 / 55)
    assert ended.stderr.count("error: ") == code


@pytest.mark.parametrize(("against", "outcome"), [(SLOWER_B3, "different"), (SAME_B3, "none found")])
def test_without_a_gate_the_outcome_is_what_was_found(bench, against, outcome):
    ended = bench("fake", "--model", "*t-B3", "--against", against, "--json")
    assert (ended.returncode, json.loads(ended.stdout)["outcome"]) == (0, outcome)


@pytest.mark.parametrize("gate", [[], ["--fail-if-slower", "3"]])
def test_a_duet_that_says_nothing_is_untestable_and_never_passes(bench, gate):
    ended = bench("fake", "--model", "*t-B3", "--against", 'option:fail={"*"="gone"}', *gate, "--json")
    assert ended.returncode == 3
    assert json.loads(ended.stdout)["outcome"] == "untestable"
    assert "untestable" in ended.stderr


def test_a_network_that_new_can_not_run_any_more_fails_the_gate(bench):
    arguments = ["fake", "--model", "*t-B3", "--model", "*t-B5", "--option", 'fail={"*t-B3"="gone"}', "--against"]
    arguments += ["option:fail={}"]
    assert bench(*arguments).returncode == 0
    ended = bench(*arguments, "--fail-if-slower", "3")
    assert ended.returncode == 1
    assert "EfficientNet-B3 can't be measured any more" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--against", "threads=1"], "option:KEY=VALUE"),
        (["--against", "option:thread=1"], "the old side can't run here"),
        (["--against", "target:cpu"], "one device"),
        (["--against", "weights:w.pth"], "weights: fits one network"),
        (["--against", "artifact:w.txt"], "artifact: fits one network"),
        (["--against", "artifact:absent.txt", "--model", "*t-B3"], "can't read absent.txt"),
        (["--against", "target:fake", "--min-visits", "3"], "a duet has no such option: --min-visits;"),
        (["--against", "target:fake", "--budget", "0"], "out of range"),
        (["--against", "target:fake", "--repeat", "2"], "--against measures one duet: --repeat"),
        (["--against", "target:fake", "--resume"], "--resume"),
        (["--against", "target:fake", "--fail-if-slower", "-100"], "out of range"),
        (["--against", "python:/nowhere"], "no such Python"),
        (["--fail-if-slower", "3"], "say against what"),
        (["--json"], "say against what"),
    ],
)
def test_a_user_s_mistake_is_one_line_and_measures_nothing(bench, duets_file, arguments, says):
    ended = bench("fake", *arguments)
    assert ended.returncode == 1
    assert says in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not duets_file.exists()


def test_a_duet_is_of_one_target(bench):
    ended = bench("cpu", "fake", "--against", "target:fake")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)


def test_ctrl_c_exits_130_and_says_where_the_turns_are(tmp_path, artifacts):
    slow = tmp_path / "slow.toml"
    slow.write_text(
        '[slow]\ntitle="Slow"\nruntime="torch_cpu"\nformat="torch"\nprecision="fp32"\nbatch=1\ndevice="CPU"\n'
    )
    command = [sys.executable, "-m", "bench", "slow", "--targets", str(slow), "--against", "target:slow", "--budget"]
    command += ["1e6", "--model", "zennet:SuperConvK3BNRELU(3,8,2,1)@32"]
    command += ["--results", str(tmp_path / "results"), "--artifacts", str(artifacts)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    journal = tmp_path / "results" / "duets" / "slow.journal"
    while not (journal.exists() and journal.read_text().count("TurnTaken") > 2):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    kept = journal.with_suffix(".jsonl")
    assert process.returncode == 130
    assert f"every turn so far is kept in {kept}" in stderr
    assert "Traceback" not in stderr
    (duet,) = read_duets(kept)
    assert len(duet.turns) > 2
    assert not journal.exists()
