from pathlib import Path

import pytest

from reports.floor import Floors
from reports.gather import gather
from reports.table.details import details
from reports.table.overview import overview
from reports.table.to_html import html
from reports.table.to_latex import latex
from reports.table.to_markdown import markdown


def tables(records, accuracies):
    """The overview, and the table of the CPU."""
    report = gather(records, accuracies)
    (column,) = (column for column in report.columns if column.name == "cpu")
    return overview(report), details(report, column, Floors(Path("absent")), "EfficientNet")


def row(sheet, model="EfficientNet-B3"):
    headings = [heading.text for heading in sheet.headings]
    (entries,) = (entries for entries in sheet.rows if entries[0].sort_key == model)
    return {heading: [piece.text for piece in entry.pieces] for heading, entry in zip(headings, entries, strict=True)}


@pytest.fixture
def evaluated(make_record, make_accuracy, trained):
    """One network with labels, one without."""
    first, second = trained(make_record()), trained(make_record("EfficientNet-B5"))
    return [first, second], [make_accuracy(first), make_accuracy(second, 0, labelled=0, images=1200)]


def test_a_measured_accuracy_stands_beside_the_latency_of_its_file(evaluated):
    whole, of_cpu = tables(*evaluated)
    headings = [heading.text for heading in whole.headings]
    at = headings.index("cpu, ms")
    assert headings[at + 1 :] == ["cpu top-1 measured, %", "cpu points lost", "cpu agreement alone, %"]
    found = row(whole)
    assert found["Top-1 published, %"] == ["81.1"]
    assert found["cpu top-1 measured, %"] == ["71.0 (61.5–79.0)", "100 images"]
    assert found["cpu points lost"] == ["2.0 (-2.3 to 6.2)"]
    assert found["cpu agreement alone, %"] == []
    found = row(of_cpu)
    assert found["top-1 measured, %"] == ["71.0 (61.5–79.0)", "100 images"]
    assert found["top-5 measured, %"] == ["91.0 (83.8–95.2)"]
    assert found["agreement, %"] == ["96.0 (90.2–98.4)"]
    assert "Weights of the files that were evaluated: B3 net.pth sha256:1234, B5 net.pth sha256:1234." in of_cpu.text


def test_agreement_is_never_in_a_column_of_accuracies(evaluated):
    for sheet in tables(*evaluated):
        found = row(sheet, "EfficientNet-B5")
        assert [text for heading, text in found.items() if "measured, %" in heading or "lost" in heading] == [
            [] for heading in found if "measured, %" in heading or "lost" in heading
        ]
        (agreement,) = [text for heading, text in found.items() if "agreement" in heading]
        assert agreement == ["99.7 (99.1–99.9)", "1,200 images"]


def test_published_accuracies_alone_are_in_italics(evaluated):
    whole, _ = tables(*evaluated)
    for heading, entry in zip(whole.headings, whole.rows[-1], strict=True):
        if any(word in heading.text for word in ("Top-1", "top-1", "lost", "agreement")):
            assert {piece.printed for piece in entry.pieces} <= {"published" in heading.text}


def test_footnotes_say_which_images_and_weights_an_accuracy_is_of(make_record, make_accuracy, trained):
    record = trained(make_record())
    accuracy = make_accuracy(record, images=120, left_out={"a.png": "empty"}, images_sha256="ab" * 32)
    whole, _ = tables([record], [accuracy])
    assert (
        "on 120 images of photographs (sha256 abababababab); 100 of them labelled; 1 more file could not be evaluated"
    ) in whole.notes
    assert any("Wilson" in note for note in whole.notes)


def test_seeded_weights_are_said_to_be_untrained(make_record, make_accuracy):
    record = make_record()
    whole, _ = tables([record], [make_accuracy(record)])
    assert row(whole)["cpu agreement alone, %"] == ["96.0 (90.2–98.4)", "100 images"]
    assert any(note.endswith("; with seeded weights, which were never trained") for note in whole.notes)
    assert not any("measured" in heading.text for heading in whole.headings)


def test_without_an_accuracy_of_a_timed_file_the_tables_are_as_they_were(make_record, make_accuracy, trained):
    record = make_record()
    without, other = tables([record], []), tables([record], [make_accuracy(trained(record))])
    for format_ in (markdown, latex, lambda sheets: html(sheets[0], "sheet")):
        assert format_([other[0]]) == format_([without[0]])
    assert other[1].rows == without[1].rows
    assert [line for line in other[1].text if line not in without[1].text] == [
        "Not shown: accuracies of other files than the ones timed here, or with other options, of B3."
    ]


@pytest.mark.parametrize(
    ("evaluated", "told"),
    [
        ([0, 1, 2], ["by accuracies measured on the same 50,000 images"]),
        ([0], []),  # the baseline's are published
        ([1, 2], []),  # its own is published
        ([3], ["by published accuracies"]),
        ([], []),
    ],
)
def test_a_speedup_says_by_which_accuracies_it_is(make_record, make_accuracy, trained, evaluated, told):
    models = ("zennet_imagenet1k_latency03ms_res224", "EfficientNet-B3", "EfficientNet-B5", "EfficientNet-B6")
    records = [trained(make_record(model)) for model in models]
    accuracies = [make_accuracy(records[at], (41_000, 40_000, 42_000, 43_000)[at], 50_000) for at in evaluated]
    _, sheet = tables(records, accuracies)
    (shown,) = (row[-1].pieces for row in sheet.rows if row[0].sort_key == models[0])
    assert bool(shown) == (bool(told) or not evaluated)
    assert [sheet.notes[mark - 1] for piece in shown for mark in piece.notes] == told


@pytest.mark.parametrize("write", [markdown, latex])
def test_every_format_shows_measured_accuracies(evaluated, write):
    text = write(list(tables(*evaluated)))
    assert [part for part in ("71.0 (61.5", "points lost", "2.0 (-2.3 to 6.2)", "99.7 (99.1") if part not in text] == []
