import json

import msgspec

from reports.chart.chart import Style, panels
from reports.gather import gather
from reports.page.data import page_data


def test_the_data_of_a_page_is_json_with_every_panel_and_the_families_that_are_drawn(make_record):
    report = gather([make_record("EfficientNet-B3", seconds=[0.01, 0.02] * 3)])
    data = json.loads(msgspec.json.encode(page_data(panels(report, Style(log=True)))))
    assert [family["name"] for family in data["families"]] == ["ZenNet", "EfficientNet"]
    assert [panel["target"] for panel in data["panels"]] == ["v100", "t4", "pixel2", "cpu"]
    assert data["first_targets"][0] == "cpu"
    assert data["log"] is True


def test_a_panel_has_the_arrow_of_its_measured_numbers_else_of_the_published_ones(make_record):
    models = ("zennet_imagenet1k_latency03ms_res224", "EfficientNet-B3", "EfficientNet-B5")
    report = gather([make_record(model, seconds=[0.01] * 6) for model in models])
    arrows = {panel.target: panel.arrow for panel in page_data(panels(report, Style())).panels}
    assert (arrows["v100"].published, arrows["v100"].text) == (True, "4.9x speed-up")
    assert (arrows["cpu"].published, arrows["cpu"].ms) == (False, 10.0)


def test_without_a_baseline_there_is_no_arrow():
    assert all(panel.arrow is None for panel in page_data(panels(gather([]), Style(against=None))).panels)
