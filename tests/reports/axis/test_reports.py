import base64
import csv
import re
import xml.etree.ElementTree as ET

import pytest

from reports.__main__ import main


@pytest.fixture(scope="module")
def out(tmp_path_factory, saturating, along_batch, along_resolution, make_record):
    """What is rendered of a batch axis, one of its points without a number, and a resolution axis."""
    from bench.records.store import append_line

    folder = tmp_path_factory.mktemp("axis")
    flat = {px: 4e-7 * px**2 for px in (160, 224, 300)}
    for record in [*saturating, *along_batch({128: None}), *along_resolution(flat), make_record("EfficientNet-B5")]:
        append_line(folder / "results" / f"{record.target.name}.jsonl", record)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["reports", "render", "--results", f"{folder}/results", "--out", f"{folder}/out"])
        assert main() == 0
    return folder / "out"


def test_the_table_has_a_sheet_for_each_axis_with_the_knee_in_words(out):
    table = (out / "table.md").read_text()
    main_table, _, axes = table.partition("### Along the batch: gpu, NVIDIA GPU ONNX Runtime FP16")
    assert "EfficientNet-B3: knee at batch 8: " in axes
    assert "8.00 times that at 1, 100% of the highest" in axes
    assert re.search(r"^\| EfficientNet-B3 \| 8¹ \| 0\.1250 \([\d.–]+\) \| 1\.00 \| \d+ \([\d–]+\) \|$", axes, re.M)
    assert "| EfficientNet-B3 | 128 | no number² |  |  |" in axes
    assert "### Along the resolution: cpu, CPU, ONNX Runtime FP32" in axes
    assert "EfficientNet-B3: no knee: nothing is faster than the first point by more than the intervals." in axes
    assert "gpu@" not in main_table
    assert "EfficientNet-B3@" not in main_table


def test_a_csv_has_a_row_for_each_point(out):
    with (out / "axes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["axis"], row["target"]) for row in rows] == [("batch", "gpu")] * 8 + [("resolution", "cpu")] * 3
    knee = next(row for row in rows if row["knee"] == "True")
    assert (knee["at"], knee["batch"], knee["verdict"]) == ("8", "8", "stable")
    assert float(knee["batch_ms"]) == pytest.approx(1.0, rel=0.01)
    assert float(knee["images_per_s_low"]) < float(knee["images_per_s"]) < float(knee["images_per_s_high"])
    assert next(row for row in rows if row["at"] == "128")["note"] == "full"
    with (out / "table.csv").open(newline="") as file:
        columns = next(csv.reader(file))
    assert {"gpu_ms", "cpu_ms"} <= set(columns)
    assert [column for column in columns if "@" in column] == []


def test_each_curve_is_a_chart_that_marks_the_knee(out):
    names = {path.name for path in out.iterdir() if path.name.startswith(("batch-", "resolution-"))}
    stems = ("batch-gpu-EfficientNet-B3", "resolution-cpu-EfficientNet-B3")
    assert names == {f"{stem}.{suffix}" for stem in stems for suffix in ("png", "svg")}
    with_knee, without = ((out / f"{stem}.svg").read_text() for stem in stems)
    assert ET.fromstring(with_knee).tag.endswith("svg")
    assert "<!-- knee -->" in with_knee
    assert "<!-- knee -->" not in without
    assert "Throughput (Mpixel/s)" in without
    assert (out / f"{stems[0]}.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_shows_the_charts_and_folds_the_tables(out):
    page = (out / "report.html").read_text()
    charts = re.findall(r'<img class="curve" alt="([^"]+)" src="data:image/svg\+xml;base64,([^"]+)">', page)
    assert [alt.partition(":")[0] for alt, _ in charts] == [
        "EfficientNet-B3 on gpu along the batch",
        "EfficientNet-B3 on cpu along the resolution",
    ]
    assert base64.b64decode(charts[0][1]) == (out / "batch-gpu-EfficientNet-B3.svg").read_bytes()
    assert "<summary>Along the batch: gpu, NVIDIA GPU ONNX Runtime FP16</summary>" in page
    assert 'gpu%408.jsonl">gpu@8.jsonl</a>' in page
    assert len(re.findall(r'<section id="([^"]+)">', page)) == len(set(re.findall(r'<section id="([^"]+)">', page)))


def test_without_axes_nothing_of_them_is_written(results, make_record, tmp_path, monkeypatch):
    arguments = ["--results", f"{results(make_record())}", "--out", f"{tmp_path}/out"]
    monkeypatch.setattr("sys.argv", ["reports", "render", *arguments])
    assert main() == 0
    assert [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(("axes", "batch", "res"))] == []
    assert "Along" not in (tmp_path / "out" / "report.html").read_text()
