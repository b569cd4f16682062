"""The study of breadth: its list, its file of attempts, its page, and that a network costs no more than its limits."""

import json
import os
import time
from pathlib import Path

import msgspec
import pytest
import timm
from hypothesis import given
from hypothesis import strategies as st

from devices.targets import find_targets
from exporters.artifact import Fidelity
from studies.breadth import trial
from studies.breadth.attempts import NETWORKS, TARGETS, Attempt, Network, append, read_attempts, read_networks, untried
from studies.breadth.page import page
from studies.breadth.rounding import DATA, read_rounding
from studies.breadth.trial import Limits, attempt_on, trials

NETWORK = Network("test_resnet", "CNN", 32)
ATTEMPTS = Path(NETWORKS).parent / "data" / "attempts.jsonl"
FIDELITY = Fidelity(images=2, relative_error=5e-7, relative_error_limit=1e-4, top1_agreement=1.0, cosine=1.0)


def attempt(network="a", target="cpu", **changes) -> Attempt:
    return Attempt(network=network, target=target, **changes)


def test_the_list_is_of_forty_networks_of_every_kind_at_timm_s_own_resolutions():
    networks = read_networks()
    assert len({network.name for network in networks}) == len(networks) == 40
    assert {network.kind for network in networks} == {"CNN", "ViT", "hybrid", "MLP"}
    own = {network.name: timm.get_pretrained_cfg(network.name).input_size[-1] for network in networks}
    assert {network.name: network.px for network in networks} == own


def test_the_data_are_of_networks_of_the_list():
    names = {network.name for network in read_networks()}
    attempts = read_attempts(ATTEMPTS)
    assert attempts
    assert {each.network for each in attempts} <= names
    assert {each.target for each in attempts} <= set(TARGETS)
    assert set(read_rounding(DATA)) <= names


names = st.sampled_from(["a", "b", "c"])


@given(
    st.lists(st.builds(attempt, names, names, reason=st.none() | st.text(max_size=9)), max_size=9), st.integers(0, 20)
)
def test_attempts_come_back_and_an_unfinished_line_is_lost_alone(tmp_path_factory, attempts, cut):
    path = tmp_path_factory.mktemp("attempts") / "data" / "attempts.jsonl"
    for each in attempts:
        append(path, each)
    last = {(each.network, each.target): each for each in attempts}
    assert {(each.network, each.target): each for each in read_attempts(path)} == last
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as file:
        file.write(msgspec.json.encode(attempt("cut"))[:cut])
    append(path, attempt("new"))
    assert {(each.network, each.target): each for each in read_attempts(path)} == last | {
        ("new", "cpu"): attempt("new")
    }


def test_what_was_tried_is_not_tried_again():
    networks = [Network("a", "CNN", 32), Network("b", "ViT", 32)]
    assert untried(networks, ("x", "y"), []) == {networks[0]: ["x", "y"], networks[1]: ["x", "y"]}
    assert untried(networks, ("x", "y"), [attempt("a", "x"), attempt("a", "y"), attempt("b", "x")]) == {
        networks[1]: ["y"]
    }


def test_the_page_counts_each_step_and_gives_every_reason():
    networks = [Network(name, "CNN", 32) for name in "abcd"]
    text = page(
        networks,
        [
            attempt("a", fidelity=FIDELITY, median_s=0.1, versions={"timm": "1.0", "openvino": "absent"}),
            attempt("b", failed_at="export", reason="no | such op"),
            attempt("c", failed_at="agreement", reason="relative error 0.1"),
            attempt("d", failed_at="session", reason="crashed"),
        ],
        {"a": 1e-7, "b": 3e-7, "c": 2e-7},
    )
    assert "| `cpu` | 4 | 3 | 2 | 1 |" in text
    assert "| b | `cpu` | export | no \\| such op |" in text
    assert "| a | CNN | 32 | 5.0e-07 |" in text
    assert "Made with timm 1.0." in text
    assert "of 3 networks" in text
    assert "3.0e-07 (`b`)" in text
    assert "2.0e-07 in the median" in text
    assert "cpu-tflite" not in text.partition("## The limit")[0]


def test_a_network_is_exported_compared_loaded_and_timed(tmp_path):
    (target,) = find_targets("cpu-torch")
    found = attempt_on(NETWORK, target, tmp_path)
    assert (found.failed_at, found.reason) == (None, None)
    assert found.fidelity.relative_error == 0
    assert found.median_s > 0
    assert json.loads(msgspec.json.encode(found))["versions"]["torch"]


@pytest.mark.parametrize(
    ("network", "says"),
    [(Network("resnet1800", "CNN", 32), "timm has no such network"), (Network("test_vit", "ViT", 8), "8 x 8")],
)
def test_a_network_that_can_not_be_made_is_an_attempt_with_its_reason(tmp_path, network, says):
    (target,) = find_targets("cpu-torch")
    found = attempt_on(network, target, tmp_path)
    assert found.failed_at == "export"
    assert says in found.reason


def _sleeps(pipe, network, targets, root):
    time.sleep(60)


def _grows(pipe, network, targets, root):
    kept = bytearray(os.urandom(1 << 20) * 400)
    time.sleep(60)
    del kept


def _dies(pipe, network, targets, root):
    pipe.send(attempt(network.name, targets[0].name))
    os._exit(3)


@pytest.mark.parametrize(
    ("serve", "limits", "reasons"),
    [
        (_sleeps, Limits(seconds=0.5, bytes=1 << 40), ["not done within 0.5 s"] * 2),
        (_grows, Limits(seconds=60, bytes=300 << 20), ["takes more than 0.3 GB of memory"] * 2),
        (_dies, Limits(seconds=60, bytes=1 << 40), [None, "ended without an answer (exit code 3)"]),
    ],
)
def test_a_network_that_hangs_grows_or_dies_costs_one_target_at_a_time(tmp_path, monkeypatch, serve, limits, reasons):
    monkeypatch.setattr(trial, "_try_each", serve)
    fake = find_targets("fake")[0]
    targets = [msgspec.structs.replace(fake, name=name) for name in ("one", "two")]
    found = list(trials(NETWORK, targets, tmp_path, limits))
    assert [each.target for each in found] == ["one", "two"]
    assert [each.reason and each.reason.partition(":")[0] for each in found] == reasons
