"""Networks that come as files or as code, measured for real on this CPU beside ones that can't be."""

from pathlib import Path

import msgspec
import pytest

from bench.duet.against import Against
from bench.duet.files import prepare
from bench.duet.ledger import DuetRun
from bench.duet.request import DuetRequest
from bench.duet.settings import DuetSettings
from bench.protocol import Protocol
from bench.sweep import SweepRequest, sweep
from devices.targets import find_targets
from models import find
from models.given.factory import NetworkError
from tests.onnx_files import onnx_file


def request(target: str, root: Path, models) -> SweepRequest:
    return SweepRequest(
        target=find_targets(target)[0],
        models=models,
        protocol=Protocol(budget_s=1.0, min_visits=1, visit_s=0.01, warmup_s=0.0, warmup_max_s=0.0),
        results=root / "results",
        artifacts=root / "artifacts",
    )


def test_what_can_not_be_measured_is_a_record_with_its_reason_and_the_others_go_on(tmp_path):
    good, other = onnx_file(tmp_path / "good.onnx", batch=1), onnx_file(tmp_path / "four.onnx", batch=4)
    unknown = onnx_file(tmp_path / "opset.onnx", opset=99)
    sources = [f"onnx:{path}" for path in (good, other, unknown)] + ["torch:nowhere_at_all:made@16"]
    records = sweep(request("cpu", tmp_path, [find(source)[0] for source in sources]))
    assert [record.measurement is not None for record in records] == [True, False, False, False]
    assert records[0].artifact.remark == "as given"
    reasons = [record.reason for record in records[1:]]
    assert "it takes batches of 4, not of 1; choose cpu@4 or" in reasons[0]
    assert "ONNX Runtime can't run" in reasons[1]
    assert reasons[2].startswith("can't import nowhere_at_all: ModuleNotFoundError")
    assert all("\n" not in reason for reason in reasons)


def sides(root: Path, *sources: Path, artifact: Path | None = None) -> list[DuetRun]:
    """What a duet of the CPU against itself has before it begins."""
    (cpu,) = find_targets("cpu")
    return prepare(
        DuetRequest(
            new=cpu,
            old=cpu,
            against=Against(artifact=artifact),
            said=[],
            models=[find(f"onnx:{path}")[0] for path in sources],
            settings=DuetSettings(),
            results=root / "results",
            artifacts=root / "artifacts",
        )
    )


def test_what_can_not_be_measured_in_a_duet_has_its_reason_and_the_others_go_on(tmp_path):
    good, four = onnx_file(tmp_path / "good.onnx", batch=1), onnx_file(tmp_path / "four.onnx", batch=4)
    unable, able = sides(tmp_path, four, good)
    assert unable.lost.reason.startswith("target cpu can't run onnx:")
    assert able.lost is None
    assert able.old.artifact == able.new.artifact is not None


def test_the_new_side_is_lost_where_its_file_can_not_be_made_whatever_the_old_one_is(tmp_path):
    good, four = onnx_file(tmp_path / "good.onnx", batch=1), onnx_file(tmp_path / "four.onnx", batch=4)
    (run,) = sides(tmp_path, four, artifact=good)
    assert run.lost.side == "new"


def test_a_fixed_batch_runs_on_a_target_of_that_batch(tmp_path):
    four = onnx_file(tmp_path / "four.onnx", batch=4)
    (record,) = sweep(request("cpu@4", tmp_path, find(f"onnx:{four}")))
    assert record.measurement is not None and record.target.batch == 4


@pytest.mark.parametrize("target", ["cpu-torch", "cpu-tflite", "v100-torch", "pixel2"])
def test_a_target_that_can_not_run_a_file_says_which_can(tmp_path, target):
    (model,) = find(f"onnx:{onnx_file(tmp_path / 'a.onnx')}")
    with pytest.raises(NetworkError) as raised:
        find_targets(target)[0].job(model)
    said = str(raised.value)
    assert said.startswith(f"target {target} can't run onnx:")
    named = said.rpartition("; choose ")[2].split(" or ")
    assert {"cpu", "cpu-int8", "v100", "t4"} <= set(named)
    assert all(find_targets(name)[0].job(model) for name in named if find_targets(name)[0].runtime != "trt")


def test_a_checkpoint_is_for_a_module_not_for_a_file(tmp_path):
    (model,) = find(f"onnx:{onnx_file(tmp_path / 'a.onnx')}")
    with pytest.raises(NetworkError, match="only a torch module"):
        find_targets("cpu")[0].job(model, weights=tmp_path / "a.pth")


def test_records_of_given_networks_can_be_read_again(tmp_path):
    from bench.records.store import read_results

    models = find(f"onnx:{onnx_file(tmp_path / 'a.onnx')}")
    written = sweep(request("cpu", tmp_path, models))
    assert msgspec.to_builtins(read_results(tmp_path / "results")) == msgspec.to_builtins(written)
