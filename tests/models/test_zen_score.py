"""`python -m models score`, the recorded scores, and what docs/networks.md says of them."""

import json
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
from scipy.stats import kendalltau

from models import find
from models.score import Setting, zen_score_of, zen_scores
from models.zoo import zoo

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)SuperResK3K3(8,8,1,8,1)@32"
PAGE = (Path(__file__).parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")
ZENNETS = [model for model in zoo().values() if model.family == "ZenNet"]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "models", "score", *arguments], capture_output=True, text=True, check=False
    )


def test_the_command_prints_scores_to_stdout_and_seconds_to_stderr():
    ended = command(TINY, "--repeats", "3", "--batch", "4", "--seed", "2", "--json")
    (found,) = json.loads(ended.stdout)
    assert (found["name"], found["repeats"], found["batch"], found["seed"]) == (TINY, 3, 4, 2)
    assert found["mean"] == pytest.approx(sum(found["scores"]) / 3)
    assert found["seconds_per_score"] > 0
    assert re.fullmatch(rf"{re.escape(TINY)}: 3 x \d+\.\d\d s\n", ended.stderr)


def test_the_installed_command_knows_it_too():
    script = "import sys; from system.zennet_latency import main; sys.argv[0] = 'zennet-latency'; main()"
    line = [sys.executable, "-c", script, "models", "score", TINY, "--repeats", "2"]
    ended = subprocess.run(line, capture_output=True, text=True, check=True)
    assert re.search(r"Zen-Score\n.*  32  \d+\.\d ± \d+\.\d\n$", ended.stdout)
    helped = subprocess.run([*line[:5], "--help"], capture_output=True, text=True, check=True).stdout
    assert helped.startswith("usage: zennet-latency models score")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((TINY, "--record"), "--record keeps scores of the suite's own networks"),
        (("EfficientNet-B3@64", "--record"), "--record keeps scores of the suite's own networks: EfficientNet-B3@64"),
        (("timm:test_vit@160",), "the Zen-Score is defined for"),
        (("zennet_unknown",), "no such model"),
    ],
)
def test_a_mistake_is_one_line(arguments, says):
    ended = command(*arguments)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"error: {says}")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("option", [("--batch", "1"), ("--repeats", "0"), ("--alpha", "nan"), ("--alpha", "0")])
def test_an_option_out_of_range_is_refused(option):
    ended = command(TINY, *option)
    assert ended.returncode == 2
    assert "expected" in ended.stderr.splitlines()[-1]


def test_every_zennet_has_a_recorded_score():
    for model in ZENNETS:
        score = zen_score_of(model)
        assert score is not None
        assert score.standard_error is not None
        assert score.alpha == Setting.alpha


def test_a_recorded_score_is_what_scoring_again_gives():
    # Scores of one network lie within 0.3 of each other; leaving out a link, a gate or a norm moves them by units.
    (model,) = find("*latency01ms*")
    (again,) = islice(zen_scores(model, Setting(batch=4, seed=1)), 1)
    assert again == pytest.approx(zen_score_of(model).mean, abs=1)


def test_the_listing_shows_the_score():
    line = [sys.executable, "-m", "models", "*latency12ms*"]
    listed = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    assert str(zen_score_of(ZENNETS[-1])) in listed
    (found,) = json.loads(subprocess.run([*line, "--json"], capture_output=True, check=True).stdout)
    assert found["zen_score"]["mean"] == zen_score_of(ZENNETS[-1]).mean


def test_the_page_shows_the_recorded_scores():
    for model in ZENNETS:
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| {model.name} "))
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[1] == f"{zen_score_of(model)}"
        assert cells[2] == f"{model.top1_percent}"


@pytest.mark.parametrize(
    ("which", "names"),
    [("nine ZenNets", ""), ("six latency networks", "latency"), ("three FLOPs networks", "flops")],
)
def test_the_page_states_kendall_s_tau_as_it_is(which, names):
    scored = [(zen_score_of(model).mean, model.top1_percent) for model in ZENNETS if names in model.name]
    tau = kendalltau(*zip(*scored, strict=True)).statistic
    assert f"| the {which} | {tau:.2f} |" in PAGE
