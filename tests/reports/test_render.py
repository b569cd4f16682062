import csv
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from reports.gather import gather
from reports.table.overview import overview
from reports.table.to_markdown import markdown


def render(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "reports", "render", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def nothing_measured(tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    ended = render("--results", out / "absent", "--out", out)
    assert (ended.returncode, ended.stderr) == (0, "")
    return out


def rows(path):
    with path.open(newline="") as file:
        return {row["model"]: row for row in csv.DictReader(file)}


def test_without_records_the_published_table_is_rendered(nothing_measured):
    table = (nothing_measured / "table.md").read_text()
    assert "| Model | Resolution, px | #Params | FLOPs (MACs) | Top-1, % |" in table
    assert "| V100, ms" in table
    assert [printed for printed in ("*0.25*", "*0.20*", "*7.0*", "*517.0*") if printed not in table] == []
    row = rows(nothing_measured / "table.csv")["zennet_imagenet1k_latency12ms_res224"]
    assert (row["v100_ms"], row["v100_published_ms"], row["params"]) == ("", "1.2", "180593736")


def test_without_records_the_chart_says_the_published_speedups(nothing_measured):
    text = (nothing_measured / "speed.svg").read_text()
    assert ET.fromstring(text).tag.endswith("svg")
    assert [word for word in ("4.9x", "10.9x", "1.6x") if f"{word} speed-up" not in text] == []
    assert (nothing_measured / "speed.png").read_bytes().startswith(b"\x89PNG")


def test_a_measured_target_gets_its_columns(results, make_record, tmp_path):
    folder = results(make_record(seconds=[0.05] * 6), make_record(target="v100", seconds=[0.128] * 6))
    assert render("--results", folder, "--out", tmp_path / "out").returncode == 0
    row = rows(tmp_path / "out" / "table.csv")["EfficientNet-B3"]
    assert float(row["cpu_ms"]) == pytest.approx(50)
    assert float(row["v100_ms"]) == pytest.approx(2)
    assert row["v100_published_ms"] == "1.12"
    assert row["cpu_published_ms"] == ""


def test_the_same_records_give_the_same_files(results, make_record, tmp_path):
    folder = results(make_record())
    for out in ("one", "two"):
        assert render("--results", folder, "--out", tmp_path / out).returncode == 0
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names
    assert [
        name for name in names if (tmp_path / "one" / name).read_bytes() != (tmp_path / "two" / name).read_bytes()
    ] == []


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    ended = render("--results", tmp_path / "absent", "--out", tmp_path / "file" / "out")
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: can't write")
    assert ended.stderr.count("\n") == 1


def test_a_record_of_a_newer_schema_is_one_clear_error(results, make_record, tmp_path):
    ended = render("--results", results(make_record(schema=99)), "--out", tmp_path / "out")
    assert ended.returncode == 1
    assert "newer version of this suite" in ended.stderr


def test_missing_numbers_and_doubts_are_footnotes(make_record):
    text = markdown([overview(gather([make_record(seconds=None, reason="out of memory")]))])
    assert "no number" in text
    assert "out of memory" in text


def test_an_unknown_target_or_family_names_the_near_ones(tmp_path):
    for option, near in (("--targets", "v100"), ("--families", "ZenNet")):
        ended = render("--results", tmp_path / "absent", "--out", tmp_path / "out", option, f"{near}s")
        assert ended.returncode == 1
        assert f"did you mean {near}" in ended.stderr


def speedup_columns(out):
    with (out / "table.csv").open(newline="") as file:
        return [name for name in next(csv.reader(file)) if "_speedup" in name]


def test_the_baseline_is_one_family_by_name_or_glob_whatever_its_case(tmp_path):
    for asked in ("efficientnet", "Eff*"):
        assert render("--results", tmp_path / "absent", "--out", tmp_path, "--against", asked).returncode == 0
        assert "4.9x speed-up" in (tmp_path / "speed.svg").read_text()
        assert "Speed-up at equal accuracy against EfficientNet" in (tmp_path / "table.md").read_text()


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (["EfficientNets"], "no such family: 'EfficientNets'; did you mean EfficientNet"),
        (["*Net"], "speed-ups compare with one family: '*Net' is ZenNet, EfficientNet; name one"),
        (["EfficientNet", "--families", "Zen*"], "no speed-ups against EfficientNet: --families leaves it out"),
    ],
)
def test_a_baseline_that_is_no_family_shown_is_one_clear_error(tmp_path, asked, error):
    ended = render("--results", tmp_path / "absent", "--out", tmp_path / "out", "--against", *asked)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith(f"error: {error}")


def test_without_the_usual_baseline_there_are_no_speedups(tmp_path, nothing_measured):
    assert render("--results", tmp_path / "absent", "--out", tmp_path, "--families", "ZenNet").returncode == 0
    assert "speed-up" not in (tmp_path / "speed.svg").read_text()
    assert "Speed-up" not in (tmp_path / "table.md").read_text()
    assert speedup_columns(tmp_path) == []
    assert speedup_columns(nothing_measured)[:2] == ["v100_speedup", "v100_speedup_low"]


def test_targets_and_families_narrow_every_file(tmp_path):
    choice = ["--targets", "t4", "--families", "EfficientNet", "--log", "--title", "$x_1$ <b>"]
    assert render("--results", tmp_path / "absent", "--out", tmp_path, *choice).returncode == 0
    assert list(rows(tmp_path / "table.csv")) == ["EfficientNet-B3", "EfficientNet-B5", "EfficientNet-B6"]
    chart = (tmp_path / "speed.svg").read_text()
    assert "NVIDIA T4 TensorRT INT8" in chart
    assert "NVIDIA V100 FP16" not in chart
    assert "$x_1$ &lt;b" in chart


def test_names_in_any_script_and_of_any_length_are_drawn(results, make_record, network_of, tmp_path):
    names = ["_hidden", "$\\frac{1}{0", "网络" * 30, "x" * 300, "\\input{/etc/passwd}", "a\nb"]
    folder = results(*(make_record(network_of(name, 70.0 + at, family=name)) for at, name in enumerate(names)))
    ended = render("--results", folder, "--out", tmp_path / "out")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "\\input" not in (tmp_path / "out" / "table.tex").read_text()
