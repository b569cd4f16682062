"""`python -m reports figure`: the published figure with what was measured."""

import subprocess
import sys

import pytest

from models import find
from reports.chart import chart
from reports.figure import FigureRequest, draw_figure
from system.errors import UserError


def test_it_draws_the_group_on_every_target_and_nothing_else(results, make_record, tmp_path, monkeypatch):
    folder = results(make_record("ResNet-50"), make_record("ConvNeXt-Tiny"), make_record("ResNet-18", "cpu-torch"))
    drawn = []
    monkeypatch.setattr(
        "reports.figure.chart", lambda report, style, formats: drawn.append((report, style)) or {"png": b"x"}
    )
    paths = draw_figure(FigureRequest(folder, tmp_path / "out", ["@figure"]))
    ((report, style),) = drawn
    assert [path.name for path in paths] == ["figure.png"]
    shown = chart.panels(report, style)
    assert {panel.target for panel in shown} == {"v100", "t4", "pixel2", "cpu", "cpu-torch"}
    assert [point.name for panel in shown for point in panel.measured] == ["ResNet-50", "ResNet-18"]
    assert {network.name for network in report.networks} <= {model.name for model in find("@figure")}


def test_a_group_without_a_number_is_one_line(results, make_record, tmp_path):
    with pytest.raises(UserError, match="no number of @today"):
        draw_figure(FigureRequest(results(make_record("ResNet-50")), tmp_path, ["@today"]))


def test_a_baseline_that_the_group_lacks_is_one_line_that_names_the_group_s_option(results, make_record, tmp_path):
    request = FigureRequest(results(make_record("ResNet-50")), tmp_path, ["ResNet-50"], against="EfficientNet")
    with pytest.raises(UserError, match="no speed-ups against EfficientNet: --model leaves it out"):
        draw_figure(request)


def test_the_command_writes_three_files(results, make_record, tmp_path):
    folder = results(*(make_record(name) for name in ("ResNet-50", "EfficientNet-B3")))
    command = ["-m", "reports", "figure", "--results", folder, "--out", tmp_path, "--targets", "cpu", "--linear"]
    ended = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == [str(tmp_path / f"figure.{format_}") for format_ in ("png", "svg", "pdf")]
    assert all((tmp_path / f"figure.{format_}").stat().st_size > 1000 for format_ in ("png", "svg", "pdf"))
