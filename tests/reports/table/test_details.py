from pathlib import Path

import pytest
from msgspec.structs import replace

from bench.trust.verdict import Verdict
from devices.targets import find_targets
from reports.floor import Floors
from reports.gather import gather
from reports.table.details import HEADINGS, details


def sheet(records, target):
    report = gather(records)
    (column,) = (column for column in report.columns if column.name == target)
    return details(report, column, Floors(Path("absent")), "EfficientNet")


def row(sheet, model="EfficientNet-B3"):
    headings = [heading.text for heading in sheet.headings]
    for entries in sheet.rows:
        if entries[0].sort_key == model:
            return dict(zip(headings, entries, strict=True))
    raise AssertionError(f"no row {model}")


def text(entry):
    return [piece.text for piece in entry.pieces]


def test_a_row_has_image_and_batch_measured_and_published(make_record):
    (v100,) = find_targets("v100")
    found = row(sheet([make_record(target=v100, seconds=[0.128] * 6)], "v100"))
    assert text(found["ms an image"]) == ["2.00"]
    assert text(found["ms a batch"]) == ["128"]
    assert text(found["images/s"]) == ["500"]
    assert text(found["Published, ms"]) == ["1.12"]
    assert text(found["Measured / published"]) == ["1.79x"]


def test_a_number_below_the_printed_peaks_is_called_impossible(make_record):
    shown = sheet([make_record(target="v100", seconds=[1e-6] * 6)], "v100")
    assert any(note.startswith("impossible: below the floor") for note in shown.notes)


def test_the_published_pixel_2_numbers_took_more_than_one_core():
    shown = sheet([], "pixel2")
    published = HEADINGS.index("Published, ms")
    marked = [entries[0].sort_key for entries in shown.rows if any(piece.notes for piece in entries[published].pieces)]
    assert "zennet_imagenet1k_latency12ms_res224" in marked
    assert "EfficientNet-B6" not in marked
    assert [note for note in shown.notes if "impossible on 1 core in fp32" in note]


def test_a_doubt_and_a_missing_number_are_footnoted(make_record):
    records = [
        make_record("EfficientNet-B3", verdict=Verdict(word="drifting", detail="±9 %")),
        make_record("EfficientNet-B5", seconds=None, reason="out of memory"),
    ]
    shown = sheet(records, "cpu")
    assert shown.notes == ["drifting: ±9 %", "out of memory"]
    assert text(row(shown, "EfficientNet-B5")["ms an image"]) == ["no number"]


@pytest.mark.parametrize("doubted", ["zennet_imagenet1k_latency03ms_res224", "EfficientNet-B3", "EfficientNet-B6"])
def test_a_speedup_from_a_number_in_doubt_is_footnoted(make_record, doubted):
    subject = "zennet_imagenet1k_latency03ms_res224"  # of an accuracy between B3's and B5's
    models = [subject, "EfficientNet-B3", "EfficientNet-B5", "EfficientNet-B6"]
    words = {model: "drifting" if model == doubted else "stable" for model in models}
    shown = sheet([make_record(model, verdict=Verdict(word=word)) for model, word in words.items()], "cpu")
    (piece,) = row(shown, subject)["Speed-up at equal accuracy against EfficientNet"].pieces
    noted = [shown.notes[number - 1] for number in piece.notes]
    assert noted == ([] if doubted == "EfficientNet-B6" else ["from numbers that are not all usable"])


def test_where_the_numbers_ran_and_what_timed_them_is_told(make_record):
    other = make_record("EfficientNet-B5")
    other = replace(other, measurement=replace(other.measurement, ran_on={}, clock="a sundial"))
    assert sheet([make_record(), other, make_record("EfficientNet-B6")], "cpu").text[0] == (
        f"Ran on threads 2, timed by {make_record().measurement.clock} (2 of 3 networks); "
        "on an unnamed device, timed by a sundial (1 of 3 networks)."
    )
    assert not any(line.startswith("Ran") for line in sheet([], "v100").text)


def test_networks_without_anything_to_show_are_left_out(make_record):
    assert len(sheet([make_record()], "cpu").rows) == 1


@pytest.mark.parametrize("against", ["EfficientNet", "ZenNet", "nobody"])
def test_any_family_can_be_the_one_that_others_are_compared_with(make_record, against):
    report = gather([make_record(replace(make_record().model, name="mine", top1_percent=82.0), "cpu")])
    for column in report.columns:
        assert details(report, column, Floors(Path("absent")), against).rows
