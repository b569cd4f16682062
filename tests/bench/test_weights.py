"""`--weights` of the commands: a folder gives each network its own file, before anything is measured."""

import json
import subprocess
import sys

import pytest

from bench.duet.record import read_duets
from bench.records.store import read_results
from models.weights import SEEDED

BOTH = ["--model", "*t-B3", "--model", "*t-B5"]


def run(*arguments):
    return subprocess.run([sys.executable, "-m", *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture
def weights(tmp_path):
    """Files of the fake format's networks, which nothing reads but their digest."""
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("EfficientNet-B3.pth", "EfficientNet-B5.safetensors", "EfficientNet-B6.pt"):
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.fixture
def folders(tmp_path):
    return ["--results", tmp_path / "results", "--artifacts", tmp_path / "artifacts"]


def files(artifacts):
    return [artifact.weights.partition(" sha256:")[0] for artifact in artifacts]


def test_a_sweep_takes_a_file_for_each_network(tmp_path, folders, weights):
    ended = run("bench", "fake", *BOTH, "--weights", weights, *folders)
    assert ended.returncode == 0, ended.stderr
    records = sorted(read_results(tmp_path / "results"), key=lambda record: record.model.name)
    assert files(record.artifact for record in records) == ["EfficientNet-B3.pth", "EfficientNet-B5.safetensors"]


def test_a_missing_file_costs_no_measurement(tmp_path, folders, weights):
    ended = run("bench", "fake", *BOTH, "--model", "*400M*", "--weights", weights, *folders)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: no checkpoint of zennet_imagenet1k_flops400M_SE_res224 in ")
    assert ended.stderr.count("\n") == 1
    assert read_results(tmp_path / "results") == []


def test_the_exporters_take_a_folder_too(tmp_path, weights):
    ended = run("exporters", "*t-B3", "*t-B6", "--to", "fake", "--weights", weights, "--out", tmp_path, "--json")
    found = [artifact["weights"].partition(" sha256:")[0] for artifact in json.loads(ended.stdout)]
    assert found == ["EfficientNet-B3.pth", "EfficientNet-B6.pt"]


@pytest.mark.parametrize("new", [[], ["--weights"]])
def test_the_old_side_of_a_duet_takes_other_weights_than_the_new_one(tmp_path, folders, weights, new):
    other = tmp_path / "other"
    other.mkdir()
    for name in ("EfficientNet-B3.bin", "EfficientNet-B5.pt"):
        (other / name).write_bytes(name.encode())
    given = [*new, weights] if new else []
    ended = run("bench", "fake", *BOTH, *given, "--against", f"weights:{other}", *folders)
    assert ended.returncode in {0, 3}, ended.stderr
    duets = sorted(read_duets(tmp_path / "results" / "duets" / "fake.jsonl"), key=lambda duet: duet.model.name)
    old, new_ = (files(getattr(duet, side).artifact for duet in duets) for side in ("old", "new"))
    assert old == ["EfficientNet-B3.bin", "EfficientNet-B5.pt"]
    assert new_ == (["EfficientNet-B3.pth", "EfficientNet-B5.safetensors"] if new else [SEEDED] * 2)
