import subprocess
import sys
from dataclasses import replace

import msgspec
import pytest
import torch
from PIL import Image

from bench.profile import Profile, profile
from devices.profilers.operators import Operator
from devices.runtimes import litert, ort
from devices.targets import find_targets
from devices.worker import open_here
from models import UserError, find
from reports.profiles import sheets

SMALL = "zennet:SuperConvK3BNRELU(3,8,2,1)SuperResK3K3(8,16,2,8,1)SuperResIDWE1K3(16,16,1,16,1)@96"


@pytest.mark.parametrize("target", ["cpu", "cpu-torch", "openvino"])
def test_the_time_of_a_network_is_found_in_its_super_blocks(tmp_path, target):
    (model,), (on,) = find(SMALL), find_targets(target)
    found = profile(on.job(model), on, tmp_path / "artifacts", tmp_path)
    assert {"0: conv k3 3-8 x1", "1: res_kk k3 8-16 x1", "2: res_idw k3 16-16 x1"} <= set(found.by_block())
    assert sum(found.by_kind().values()) == pytest.approx(found.sum_s)
    assert sum(found.by_block().values()) == pytest.approx(found.sum_s)
    assert 0 < found.sum_s <= found.profiled_s * 1.5
    (written,) = (tmp_path / "profiles").glob("*.json")
    assert msgspec.json.decode(written.read_bytes(), type=Profile) == found


def test_a_runtime_without_a_profiler_says_so(tmp_path):
    (model,), (fake,) = find("EfficientNet-B3"), find_targets("fake")
    with pytest.raises(UserError, match="no profiler for target fake"):
        profile(fake.job(model), fake, tmp_path / "artifacts", tmp_path)


class NoTimes:
    """A profiler whose clock is too coarse for the network."""

    def __init__(self, artifact, target):
        self.session = open_here(artifact, target)
        self.run, self.close = self.session.run, self.session.close

    def operators(self):
        return [Operator(name="conv", kind="CONV_2D", scope="", seconds=0.0)] * 3


def test_operators_that_take_no_time_are_one_error_and_no_file(tmp_path, monkeypatch):
    (model,), (on,) = find(SMALL), find_targets("cpu")
    monkeypatch.setattr(ort, "RUNTIME", replace(ort.RUNTIME, open_profiler=NoTimes))
    with pytest.raises(UserError, match="0 s for each of 3 operators; profile a larger network"):
        profile(on.job(model), on, tmp_path / "artifacts", tmp_path)
    assert not (tmp_path / "profiles").exists()


def test_litert_says_that_its_interpreter_has_no_profiler():
    with pytest.raises(UserError, match="no profiler for target cpu-tflite: LiteRT's Python interpreter has none"):
        litert.open_profiler(None, find_targets("cpu-tflite")[0])


def test_the_command_prints_both_tables_of_the_file_that_its_weights_and_calibration_make(tmp_path):
    torch.save(find(SMALL)[0].build().state_dict(), tmp_path / "own.pth")
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    Image.effect_noise((40, 40), 64).convert("RGB").save(photographs / "noise.png")
    command = [sys.executable, "-m", "bench", "cpu-int8", "--profile", SMALL, "--results", tmp_path]
    command += ["--artifacts", tmp_path, "--weights", tmp_path / "own.pth", "--calibration", photographs]
    ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert [word for word in ("operator", "super-block", "Conv", "off the latency") if word not in ended.stdout] == []
    (written,) = (tmp_path / "profiles").glob("*.json")
    found = msgspec.json.decode(written.read_bytes(), type=Profile)
    assert found.weights.startswith("own.pth sha256:")
    assert found.calibration.startswith("photographs, 1 images")
    assert f"Weights: {found.weights}. Calibrated on: {found.calibration}." in sheets(found)[0].text[0]
