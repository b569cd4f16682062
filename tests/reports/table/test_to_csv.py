import csv as csv_file
import io
from pathlib import Path

import pytest
from msgspec.structs import replace

from bench.trust.verdict import Verdict
from reports.floor import Floors
from reports.gather import gather
from reports.table.to_csv import csv


def rows(*records, accuracies=()):
    text = csv(gather(records, accuracies), Floors(Path("absent")), "EfficientNet")
    return {row["model"]: row for row in csv_file.DictReader(io.StringIO(text))}


def test_counts_are_whole_numbers_though_other_cells_are_empty(make_record):
    found = rows(make_record(), make_record("EfficientNet-B5", seconds=None, reason="out of memory"))
    assert [found["EfficientNet-B3"][f"cpu_{name}"] for name in ("batch", "samples", "visits")] == ["1", "18", "6"]
    assert [found["EfficientNet-B5"][f"cpu_{name}"] for name in ("batch", "samples", "visits")] == ["", "", ""]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "=HYPERLINK(1,2)"])
def test_text_that_a_spreadsheet_would_run_begins_with_an_apostrophe(make_record, network_of, text):
    record = make_record(network_of(text, family=text), reason=text, verdict=Verdict(word="stable"))
    odd = replace(record, target=replace(record.target, name=text))
    found = rows(record, odd)[f"'{text}"]
    assert found["family"] == f"'{text}"
    assert found[f"'{text}_ms"] == found["cpu_ms"] != ""
    assert not [key for key, value in found.items() if key[:1] in "=+-@\t" or value[:1] in tuple("=+@\t")]


def test_numbers_stay_numbers(make_record, network_of):
    assert float(rows(make_record(network_of("odd", -1.5)))["odd"]["top1_percent"]) == -1.5


def test_an_accuracy_has_columns_beside_the_latency_of_its_file(make_record, make_accuracy, trained):
    measured, other = trained(make_record()), trained(make_record("EfficientNet-B5"))
    found = rows(measured, other, accuracies=[make_accuracy(measured, left_out={"a.png": "empty"})])
    b3, b5 = found["EfficientNet-B3"], found["EfficientNet-B5"]
    assert (b3["top1_percent"], b3["cpu_top1_measured_percent"], b3["cpu_points_lost"]) == ("81.1", "71.0", "2.0")
    low, high = (float(b3[f"cpu_top1_measured_percent_{end}"]) for end in ("low", "high"))
    assert low == pytest.approx(61.5, abs=0.1)
    assert high == pytest.approx(79.0, abs=0.1)
    assert [b3[f"cpu_accuracy_{name}"] for name in ("images", "labelled", "left_out")] == ["100", "100", "1"]
    assert (b3["cpu_accuracy_folder"], b3["cpu_accuracy_weights"]) == ("photographs", "net.pth sha256:1234")
    assert {b5[name] for name in b5 if "accuracy" in name or "measured" in name or "lost" in name} == {""}


def test_without_an_accuracy_of_a_timed_file_no_column_is_added(make_record, make_accuracy, trained):
    record = make_record()
    assert rows(record, accuracies=[make_accuracy(trained(record))]) == rows(record)
