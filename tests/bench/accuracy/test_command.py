import json
import os
import signal
import subprocess
import sys

import msgspec
import pytest

from bench.accuracy.store import read_accuracies
from tests.bench.accuracy.drawing import draw
from tests.bench.conftest import TINY

OTHER = "zennet:SuperConvK3BNRELU(3,16,2,1)@32"
# The command, with a run that ends itself by SIGKILL once so many images were answered and each answer is on disk.
KILLED = """
import os, signal, sys
import bench.accuracy.predictions as predictions
from bench.__main__ import main
from system.command_line import run

predictions._WRITE_EVERY_S = 0
add, left = predictions.Predictions.add, int(sys.argv.pop(1))

def dying(self, prediction):
    global left
    left -= 1
    add(self, prediction)
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

predictions.Predictions.add = dying
if __name__ == "__main__":
    run(main)
"""


def run(*arguments: object, code: str | None = None) -> subprocess.CompletedProcess:
    command = [sys.executable, *(["-c", code] if code else ["-m", "bench"]), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": "."})


@pytest.fixture
def folders(tmp_path, artifacts):
    return ["--results", tmp_path / "results", "--artifacts", artifacts]


def kept(results) -> list[dict]:
    """The records but for what is another in each run."""
    of_a_run = {"machine", "end", "inference_s", "wall_s"}
    records = [msgspec.to_builtins(accuracy) for accuracy in read_accuracies(results)]
    return [{name: value for name, value in record.items() if name not in of_a_run} for record in records]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--accuracy", "absent"], "no folder absent"),
        (["--accuracy", "{empty}"], "no images in"),
        (["--accuracy", "{folder}", "--images", "0"], "--images must be 1 or more"),
        (["--images", "5"], "--images is of an evaluation: no --accuracy"),
        (["--accuracy", "{folder}", "--repeat", "2"], "--accuracy times nothing: --repeat"),
        (["--accuracy", "{folder}", "--against", "option:threads=1"], "--accuracy times nothing: --against"),
        (["--accuracy", "{folder}", "--budget", "1", "--seed", "2"], "--budget and --seed; leave that out"),
        (["--accuracy", "{folder}", "--weights", "absent.pth"], "can't read checkpoint"),
    ],
)
def test_what_can_t_be_evaluated_is_one_line(tmp_path, folder, folders, arguments, says):
    (tmp_path / "empty").mkdir()
    arguments = [text.format(folder=folder, empty=tmp_path / "empty") for text in arguments]
    ended = run("cpu", "--model", TINY, *arguments, *folders)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: ")
    assert says in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not list((tmp_path / "results").rglob("*.jsonl"))


def test_profile_and_accuracy_exclude_each_other(folder, folders):
    ended = run("cpu", "--profile", TINY, "--accuracy", folder, *folders)
    assert "--accuracy times nothing: --profile" in ended.stderr


def test_seeded_weights_have_an_agreement_alone_and_are_not_evaluated_twice(tmp_path, folder, folders):
    (folder / "notes.txt").write_text("")
    (folder / "0" / "cut.png").write_bytes((folder / "0" / "0.png").read_bytes()[:60])
    command = ["cpu", "cpu-torch", "--model", TINY, "--accuracy", folder, *folders]
    ended = run(*command)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("seeded weights") == 2
    assert "no image by its suffix: 1 file: notes.txt" in ended.stderr
    assert "1 file: 0/cut.png" in ended.stderr
    records = read_accuracies(tmp_path / "results")
    assert {record.target.name for record in records} == {"cpu", "cpu-torch"}
    assert all((record.images, record.labelled) == (10, 0) for record in records)
    # torch beside itself, and ONNX in FP32, answer the same.
    assert [record.agreement.same_top1 for record in records] == [10, 10]
    assert records[0].images_sha256 == records[1].images_sha256
    again = run(*command)
    assert again.returncode == 0
    assert again.stderr.count("this file has answered every image before, none was asked again") == 2
    assert again.stdout == ended.stdout
    assert read_accuracies(tmp_path / "results") == records


def test_a_run_that_is_killed_goes_on_to_the_same_record(tmp_path, folder, artifacts):
    command = ["cpu", "--model", TINY, "--accuracy", folder, "--artifacts", artifacts]
    assert run(*command, "--results", tmp_path / "whole").returncode == 0
    results = tmp_path / "results"
    for left in (1, 6, 3):
        ended = run(left, *command, "--results", results, code=KILLED)
        assert ended.returncode == -signal.SIGKILL
        assert kept(results) == []
    ended = run(*command, "--results", results, "--resume", "--json")
    assert ended.returncode == 0, ended.stderr
    assert kept(results) == kept(tmp_path / "whole")
    (document,) = json.loads(ended.stdout)
    assert document["images"] == 10
    lines = [path.read_bytes() for path in (results / "accuracy" / "predictions").glob("*.jsonl")]
    assert [text.count(b'"image"') for text in lines] == [10, 10]


def test_a_part_of_the_images_and_a_folder_that_changed_are_records_of_their_own(tmp_path, folder, folders):
    command = ["cpu", "--model", TINY, "--accuracy", folder, *folders]
    assert run(*command, "--images", "4").returncode == 0
    draw(folder / "0" / "0.png", seed=50)
    draw(folder / "2" / "more.png", seed=51)
    assert run(*command).returncode == 0
    first, second = read_accuracies(tmp_path / "results")
    assert (first.images, second.images) == (4, 11)
    assert first.images_sha256 != second.images_sha256


def test_a_network_that_can_t_be_loaded_costs_no_other_its_figure(tmp_path, folder, folders):
    fails = f'fail={{"{TINY}"="its driver is gone"}}'
    ended = run("fake", "--model", TINY, "--model", OTHER, "--option", fails, "--accuracy", folder, *folders)
    assert ended.returncode == 1
    assert "no figure: " in ended.stdout
    assert "its driver is gone" in ended.stdout
    (record,) = read_accuracies(tmp_path / "results")
    assert record.model.name == OTHER


def test_a_folder_without_a_readable_image_has_no_record(tmp_path, folders):
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "text.jpg").write_text("no image")
    ended = run("cpu", "--model", TINY, "--accuracy", tmp_path / "photographs", *folders)
    assert ended.returncode == 1
    assert "no image could be read" in ended.stdout
    assert "text.jpg" in ended.stderr
    assert read_accuracies(tmp_path / "results") == []


def test_a_results_folder_that_can_t_be_written_is_one_line(tmp_path, folder, artifacts):
    (tmp_path / "results").write_text("")
    ended = run(
        "cpu", "--model", TINY, "--accuracy", folder, "--results", tmp_path / "results", "--artifacts", artifacts
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: can't write into ")
    assert ended.stderr.count("\n") == 1
