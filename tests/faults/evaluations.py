"""Evaluations (`bench --accuracy`) that are killed, lose a process, fill the disk, or find their files damaged."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import psutil
from PIL import Image

from bench.accuracy.record import Accuracy
from bench.accuracy.store import read_accuracies
from tests.faults.command import TINY, command, one_error
from tests.faults.damage import damaged
from tests.faults.disk import files_up_to
from tests.faults.sweeps import killed_after, killed_when

_KILLS, _IMAGES = 8, 400
_MANY = 4000  # answers are written every two seconds, so that an evaluation has to take several
_OF_A_RUN = {"machine", "end", "inference_s", "wall_s"}


def killed(folder: Path) -> tuple[int, str]:
    """An evaluation killed with SIGKILL at random moments and at random images, the same command given after each."""
    line = _line(folder, _MANY)
    begun = time.monotonic()
    assert command(*line[2:], "--results", folder / "whole").returncode == 0
    whole_s, moments, results = time.monotonic() - begun, random.Random(1), folder / "results"
    kills = evaluating = 0
    while kills < _KILLS:
        told = [*line, "--results", str(results)]
        # Most of its time passes before the first answer.
        at_image = kills % 4 and moments.randrange(1, 2 * _MANY)
        if _killed_at(at_image, told, results) if at_image else killed_after(moments.uniform(0, whole_s), told):
            kills += 1
            evaluating += 0 < _answers(results) < 2 * _MANY
        if read_accuracies(results):  # complete: the next kills hit another evaluation
            assert _kept(results) == _kept(folder / "whole")
            assert _answers(results) == 2 * _MANY
            results = folder / f"results-{kills}"
    ended = command(*line[2:], "--results", results)
    assert ended.returncode == 0, ended.stderr
    assert _kept(results) == _kept(folder / "whole")
    assert _answers(results) == 2 * _MANY
    rest = "every one went on to the record of an uninterrupted one, no image counted twice"
    return kills, f"{evaluating} of them with some images answered and some not; {rest}"


def _killed_at(image: int, line: list[str], results: Path) -> bool:
    return killed_when(lambda: _answers(results) >= image, line)


def losing_processes(folder: Path) -> tuple[int, str]:
    """A process that predicts or decodes killed, stopped by an abort or crashed during an evaluation."""
    cases = 0
    for kind in (signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV):
        for of_predictor in (True, False):
            results = folder / f"results-{cases}"
            line = [*_line(folder), "--results", str(results)]
            process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            _wait_for_an_answer(results, process)
            _send(kind, process, of_predictor=of_predictor)
            stdout, stderr = process.communicate(timeout=300)
            assert "Traceback" not in stderr, stderr
            if of_predictor:
                assert process.returncode == 1, stderr
                assert "no figure: " in stdout, stdout
                assert kind.name in stdout or "killed" in stdout, stdout
            ended = command(*line[2:])
            assert ended.returncode == 0, ended.stderr
            (accuracy,) = [found for found in read_accuracies(results) if found.images == _IMAGES]
            assert not accuracy.left_out
            cases += 1
    return (
        cases,
        "the network has the cause instead of a figure, or one image is left out with it; the same command ends it",
    )


def damaged_files(folder: Path) -> tuple[int, str]:
    """Predictions and accuracies (`results/accuracy/`), damaged."""
    line = [*_line(folder, images=40)[2:], "--results", folder / "results"]
    assert command(*line).returncode == 0
    whole, cases = _kept(folder / "results"), 0
    (accuracies,) = (folder / "results" / "accuracy").glob("*.jsonl")
    predictions = sorted((folder / "results" / "accuracy" / "predictions").glob("*.jsonl"))
    for path in predictions:
        content = path.read_bytes()
        for broken in damaged(content, 11, 12):
            path.write_bytes(broken)
            accuracies.unlink()
            ended = command(*line)
            assert ended.returncode == 0, ended.stderr
            assert "Traceback" not in ended.stderr, ended.stderr
            found = _kept(folder / "results")
            # A flipped bit within a class is another answer, which nothing but another evaluation could tell.
            assert [record["images_sha256"] for record in found] == [record["images_sha256"] for record in whole]
            cases += 1
        path.write_bytes(content)
    content = accuracies.read_bytes()
    for broken in damaged(content, 12, 12):
        accuracies.write_bytes(broken)
        ended = command(*line)
        assert ended.returncode == 0 or one_error(ended), ended.stderr
        assert "Traceback" not in ended.stderr, ended.stderr
        cases += 1
    return cases, "what can't be read is predicted again or passed over with a warning; never a traceback"


def full_disk(folder: Path) -> tuple[int, str]:
    """The disk full while predictions are written."""
    line = [*_line(folder)[2:], "--results", folder / "results"]
    assert command(*line, "--images", 1).returncode == 0
    for most_bytes in (20_000, 40_000, 60_000):
        error = one_error(command(*line, preexec_fn=files_up_to(most_bytes)))
        assert "same command again" in error, error
    ended = command(*line)
    assert ended.returncode == 0, ended.stderr
    assert _answers(folder / "results") == 2 * _IMAGES
    return 3, "one error each; with room again the same command goes on, no image counted twice"


def _line(folder: Path, images: int = _IMAGES) -> list[str]:
    """The command, and below `folder` its images and artifacts."""
    photographs = folder / "photographs"
    if not photographs.exists():
        photographs.mkdir()
        noise = np.random.default_rng(0)
        for number in range(images):
            Image.fromarray(noise.integers(0, 256, (90, 60, 3), dtype=np.uint8)).save(photographs / f"{number:04}.png")
    paths = ["--accuracy", photographs, "--artifacts", folder / "artifacts"]
    return [sys.executable, "-m", "bench", "cpu", "--model", TINY, *map(str, paths)]


def _kept(results: Path) -> list[dict[str, object]]:
    records: list[Accuracy] = read_accuracies(results)
    tables = [msgspec.to_builtins(record) for record in records]
    return [{name: value for name, value in table.items() if name not in _OF_A_RUN} for table in tables]


def _answers(results: Path) -> int:
    files = (results / "accuracy" / "predictions").glob("*.jsonl")
    return sum(path.read_bytes().count(b'"line":"image"') for path in files)


def _wait_for_an_answer(results: Path, process: "subprocess.Popen[str]") -> None:
    begun = time.monotonic()
    while not _answers(results):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() - begun < 120, "no image was ever answered"
        time.sleep(0.02)


def _send(kind: signal.Signals, process: "subprocess.Popen[str]", *, of_predictor: bool) -> None:
    """Send a signal to a process that predicts, or to one that decodes."""
    children = psutil.Process(process.pid).children(recursive=True)
    lines = {child: " ".join(child.cmdline()) for child in children}
    predictors = [child for child, line in lines.items() if "spawn_main" in line]
    servers = [child for child, line in lines.items() if "forkserver" in line]
    decoders = [child for server in servers for child in server.children()]
    (predictors if of_predictor else decoders)[-1].send_signal(kind)
