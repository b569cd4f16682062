import csv as csv_file
import io
from pathlib import Path

import pytest
from msgspec.structs import replace

from bench.trust.verdict import Verdict
from reports.floor import Floors
from reports.gather import gather
from reports.table.to_csv import csv


def rows(*records):
    text = csv(gather(records), Floors(Path("absent")), "EfficientNet")
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
