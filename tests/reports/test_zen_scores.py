import csv as csv_file
import io
from pathlib import Path

import pytest

from models.score import ZenScore
from reports import zen_scores
from reports.floor import Floors
from reports.gather import gather
from reports.table.overview import overview
from reports.table.to_csv import csv


@pytest.fixture
def recorded(monkeypatch):
    """Make up which networks have a recorded score."""

    def make(**means: float) -> None:
        scores = {name.replace("_b", "-B"): ZenScore(mean, 0.25, 4, 16, 0.01, 0) for name, mean in means.items()}
        monkeypatch.setattr(zen_scores, "zen_score_of", lambda model: scores.get(model.name))

    return make


def tables(records=()):
    report = gather(records)
    rows = csv_file.DictReader(io.StringIO(csv(report, Floors(Path("absent")), None)))
    return overview(report), {row["model"]: row for row in rows}


def test_a_recorded_score_stands_beside_the_published_accuracy(recorded, make_record, network_of):
    recorded(EfficientNet_b3=123.456)
    sheet, rows = tables([make_record(network_of("mine"))])
    at = [heading.text for heading in sheet.headings].index("Zen-Score")
    shown = {row[0].sort_key: [piece.text for piece in row[at].pieces] for row in sheet.rows}
    assert (shown["EfficientNet-B3"], shown["EfficientNet-B5"], shown["mine"]) == (["123.5 ± 0.2"], [], [])
    assert "no accuracy" in sheet.notes[sheet.headings[at].notes[0] - 1]
    assert (rows["EfficientNet-B3"]["zen_score"], rows["mine"]["zen_score"]) == ("123.456", "")


def test_without_recorded_scores_there_is_no_column(recorded):
    recorded()
    sheet, rows = tables()
    assert "Zen-Score" not in [heading.text for heading in sheet.headings]
    assert "zen_score" not in rows["EfficientNet-B3"]
