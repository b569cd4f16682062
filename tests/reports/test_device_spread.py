import csv as csv_file
import io
import math
from pathlib import Path

import pytest
from msgspec.structs import replace

from reports.device_spread import HEADING, Compared, compared, line
from reports.floor import Floors
from reports.gather import gather
from reports.table.details import details
from reports.table.to_csv import csv
from reports.table.to_html import html


def shared(record, **seconds):
    """The record with six visits of each device, which took so many seconds each."""
    visits = [
        replace(visit, device=device, samples=replace(visit.samples, seconds=[each_s] * 3))
        for device, each_s in seconds.items()
        for visit in record.measurement.visits[:6]
    ]
    return replace(record, measurement=replace(record.measurement, visits=visits))


def column_of(records):
    report = gather(records)
    return report, next(column for column in report.columns if column.name == "cpu")


def sheet(records):
    return details(*column_of(records), Floors(Path("absent")), "EfficientNet")


def test_each_device_is_held_against_the_others_over_all_networks_that_they_share(make_record):
    records = [
        shared(make_record("EfficientNet-B3"), A=0.01, B=0.011),
        shared(make_record("EfficientNet-B5"), A=0.02, B=0.02, C=0.04),
        shared(make_record("EfficientNet-B6"), B=0.5),
    ]
    found = compared(column_of(records)[1])
    assert list(found) == ["C", "B", "A"]
    assert found["C"] == Compared(pytest.approx(2.0), 1)
    assert found["A"] == Compared(pytest.approx(math.sqrt(1 / 1.1 / math.sqrt(2))), 2)
    assert found["B"] == Compared(pytest.approx(math.sqrt(1.1 / math.sqrt(2))), 2)


def test_the_table_of_a_target_tells_how_far_its_devices_lie_apart(make_record):
    shown = sheet([shared(make_record(), A=0.01, B=0.011), make_record("EfficientNet-B5")])
    headings = [heading.text for heading in shown.headings]
    place = headings.index(HEADING)
    assert headings[place + 1] == "Speed-up at equal accuracy against EfficientNet"
    assert all(len(row) == len(headings) for row in shown.rows)
    spreads = {row[0].sort_key: [piece.text for piece in row[place].pieces] for row in shown.rows}
    assert spreads == {"EfficientNet-B3": ["1.100x"], "EfficientNet-B5": []}
    (told,) = [text for text in shown.text if "over that of the others" in text]
    assert told == ("2 devices; each one's time over that of the others: B 1.100x (1 network), A 0.909x (1 network).")
    (number,) = shown.headings[place].notes
    assert "however many visits each made" in shown.notes[number - 1]
    assert "1.100x" in html(shown, "sheet")


@pytest.mark.parametrize("devices", [{}, {"A": 0.01}])
def test_nothing_is_told_of_one_device(make_record, devices):
    record = shared(make_record(), **devices) if devices else make_record()
    shown = sheet([record])
    assert HEADING not in [heading.text for heading in shown.headings]
    assert not any("over that of the others" in text for text in shown.text)
    assert line(column_of([record])[1]) == ""
    assert "cpu_devices" not in csv(gather([record]), Floors(Path("absent")), None)


def test_a_device_of_any_name_is_one_line(make_record):
    record = make_record()
    visits = [
        replace(visit, device=name) for name in ("<b>\n" + "x" * 200, None) for visit in record.measurement.visits
    ]
    told = line(column_of([replace(record, measurement=replace(record.measurement, visits=visits))])[1])
    assert "\n" not in told
    assert "one that is not named" in told
    assert len(told) < 300
    shown = sheet([replace(record, measurement=replace(record.measurement, visits=visits))])
    assert "<b>" not in html(shown, "sheet")


def test_the_csv_has_both_figures_where_any_network_was_shared(make_record):
    records = [shared(make_record(), A=0.01, B=0.011), make_record("EfficientNet-B5")]
    text = csv(gather(records), Floors(Path("absent")), None)
    rows = {row["model"]: row for row in csv_file.DictReader(io.StringIO(text))}
    found = [(rows[f"EfficientNet-{name}"]["cpu_devices"], rows[f"EfficientNet-{name}"]["cpu_device_spread"])
             for name in ("B3", "B5", "B6")]  # fmt: skip
    assert [devices for devices, _ in found] == ["2", "1", ""]
    assert float(found[0][1]) == pytest.approx(1.1)
    assert found[1][1] == found[2][1] == ""
