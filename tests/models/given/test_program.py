import io
import zipfile

import pytest
import torch
from torch import nn

from models import find
from models.given.program import read_program
from system.errors import UserError


def program(path, *, batch: int | None = None, network: nn.Module | None = None, images=None):
    module = network or nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    shown = images if images is not None else (torch.zeros(batch or 2, 3, 16, 16),)
    dynamic = None if batch or images is not None else ({0: torch.export.Dim("n")},)
    torch.export.save(torch.export.export(module.eval(), shown, dynamic_shapes=dynamic), path)
    return path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("batch", [None, 1])
def test_a_program_says_its_batch_and_its_resolution_and_runs(tmp_path, batch):
    path = program(tmp_path / "a.pt2", batch=batch)
    found = read_program(path)
    assert (found.batch, found.resolution_px, found.classes) == (batch, 16, 4)
    (model,) = find(f"pt2:{path}")
    module = model.build()
    assert module(torch.zeros(batch or 3, 3, 16, 16)).shape == (batch or 3, 4)
    assert model.content() == found.sha256
    with pytest.raises(UserError, match=r"a\.pt2 takes images of one size: 16 px; leave @32 out"):
        find(f"pt2:{path}@32")


class Two(nn.Module):
    def forward(self, one, other):
        return one.mean((2, 3)) + other.mean((2, 3))


@pytest.mark.filterwarnings("ignore")
def test_what_takes_no_images_is_one_line(tmp_path):
    images = (torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 16))
    with pytest.raises(UserError, match=r"is no batch of images: \(1, 3, 16, 16\), \(1, 3, 16, 16\)"):
        read_program(program(tmp_path / "a.pt2", network=Two(), images=images))
    with pytest.raises(UserError, match=r"is no batch of images: \(1, 5\)"):
        read_program(program(tmp_path / "b.pt2", network=nn.Linear(5, 2), images=(torch.zeros(1, 5),)))


def test_what_is_no_program_is_one_line(tmp_path, capfd):
    with pytest.raises(UserError, match=r"can't read .*a\.pt2: No such file"):
        read_program(tmp_path / "a.pt2")
    (tmp_path / "a.pt2").write_bytes(b"nothing")
    with pytest.raises(
        UserError, match=r"a\.pt2 is no exported program: .*; save one by torch\.export\.save"
    ) as raised:
        read_program(tmp_path / "a.pt2")
    assert "\n" not in str(raised.value)
    assert capfd.readouterr().err == ""


class Code:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return open, (str(self.marker), "w")


@pytest.mark.filterwarnings("ignore")
def test_code_in_a_program_is_refused_and_does_not_run(tmp_path, capfd):
    whole, path, marker = program(tmp_path / "whole.pt2", batch=1), tmp_path / "a.pt2", tmp_path / "ran"
    pickled = io.BytesIO()
    torch.save((Code(marker),), pickled)
    with zipfile.ZipFile(whole) as archive, zipfile.ZipFile(path, "w") as spoilt:
        inputs = [name for name in archive.namelist() if "sample_inputs" in name]
        for name in archive.namelist():
            spoilt.writestr(name, pickled.getvalue() if name in inputs else archive.read(name))
    assert inputs
    with pytest.raises(UserError, match=r"a\.pt2 is no exported program: .*Weights only load failed"):
        read_program(path)
    assert not marker.exists()
    assert "Traceback" not in capfd.readouterr().err
