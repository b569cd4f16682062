import re
import subprocess
import sys

import pytest

from bench.records.store import read_results
from models.published import published


def bench(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "bench", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def folders(tmp_path, artifacts):
    return ["--results", tmp_path / "results", "--artifacts", artifacts]


def test_the_whole_pipeline_runs_on_the_fake_device(tmp_path, folders):
    ended = bench("fake", *folders)
    assert ended.returncode == 0
    assert re.fullmatch(
        r"(export: \d+ s\n)?fake: 100% of \d+ s went into inferences; loading and warming up took \d+ s beside them\n",
        ended.stderr,
    )
    assert "EfficientNet-B6" in ended.stdout
    assert sorted(record.model.name for record in read_results(tmp_path / "results")) == sorted(published())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fake", "--model", "EfficientNet-B9"], "no such model"),
        (["fakes"], "did you mean fake"),
        (["fake", "--budget", "0"], "budget"),
        (["fake", "--min-visits", "0"], "min_visits"),
        (["fake", "--budget", "inf"], "budget_s inf; give a finite number"),
        (["fake", "--interval", "nan"], "interval nan"),
        (["fake", "--timeout", "1e9"], "timeout_s"),
        (["fake", "--repeat", "0"], "--repeat must be 1 or more"),
        (["fake", "--profile", "*t-B3", "--model", "*t-B5"], "--profile measures no sweep"),
        (["fake", "--ray", "auto", "--profile", "*t-B3"], "--ray is of sweeps: --profile;"),
        (["fake", "--weights", "absent.pth"], "--weights fits one network"),
        (["fake", "--model", "*t-B3", "--weights", "absent.pth"], "can't read checkpoint"),
        (["fake", "--model", "zennet:SuperConvK3BNRELU(3,16,2"], "cut off"),
    ],
)
def test_a_user_s_mistake_ends_in_one_line_and_measures_nothing(tmp_path, folders, arguments, says):
    ended = bench(*arguments, *folders)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: ")
    assert says in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert read_results(tmp_path / "results") == []


def test_wrong_usage_exits_2(folders):
    assert bench().returncode == 2
    assert bench("fake", "--budget", "much").returncode == 2


def test_an_unwritable_results_folder_is_one_error(tmp_path, artifacts):
    (tmp_path / "results").write_text("in the way")
    ended = bench("fake", "--results", tmp_path / "results", "--artifacts", artifacts)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)


def test_a_network_without_a_number_exits_1_and_the_others_are_measured(tmp_path, folders):
    ended = bench("cpu", "--model", "timm:no_such_network", "--model", "timm:test_resnet", "--budget", "1", *folders)
    assert ended.returncode == 1
    assert "timm has no such network" in ended.stdout
    failed, measured = sorted(read_results(tmp_path / "results"), key=lambda record: record.model.name)
    assert "timm has no such network" in failed.reason
    assert measured.measurement.estimate.number_s > 0
    assert measured.artifact.fidelity.relative_error < 1e-4
