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


def test_a_measured_accuracy_is_told_from_a_published_one(make_record, make_accuracy, trained):
    records = [trained(make_record(model, seconds=[0.01] * 6)) for model in ("EfficientNet-B3", "EfficientNet-B5")]
    report = gather(records, [make_accuracy(records[0], folder="<b>photographs</b>")])
    data = page_data(panels(report, Style()))
    (cpu,) = (panel for panel in data.panels if panel.target == "cpu")
    measured, published = sorted(cpu.series, key=lambda series: not series.sample)
    ((b3,), (b5,)) = measured.points, published.points
    assert "top-1 71.0 (61.5–79.0) %, measured on 100 images of &lt;b&gt;photographs&lt;/b&gt;" in b3.hover
    assert "format and precision cost 2.0 (-2.3 to 6.2) points of top-1" in b3.hover
    assert "top-1 83.3 %, published" in b5.hover
    assert b3.top1_low < b3.top1 < b3.top1_high
    assert (b5.top1_low, b5.top1_high) == (b5.top1, b5.top1)
    assert cpu.accuracy_range[0] < b3.top1_low
    assert data.accuracy_title == "Top-1 accuracy (%)"


def test_the_arrow_of_measured_accuracies_says_so_beyond_their_bars(make_record, make_accuracy, trained):
    models = ("zennet_imagenet1k_latency03ms_res224", "EfficientNet-B3", "EfficientNet-B5")
    seconds = (0.01, 0.02, 0.2)
    records = [trained(make_record(model, seconds=[each] * 6)) for model, each in zip(models, seconds, strict=True)]
    right = (41_000, 40_000, 42_000)
    accuracies = [make_accuracy(record, top1, 50_000) for record, top1 in zip(records, right, strict=True)]
    (cpu,) = (each for each in page_data(panels(gather(records, accuracies), Style())).panels if each.target == "cpu")
    subject = next(point for series in cpu.series for point in series.points if point.top1 == cpu.arrow.top1 == 82)
    assert cpu.arrow.text.endswith(", by measured accuracy")
    assert cpu.arrow.above
    assert cpu.arrow.text_top1 == subject.top1_high > 82


def test_an_accuracy_that_the_user_states_is_told_from_a_published_one(make_record, network_of):
    report = gather([make_record("ResNet-18"), make_record(network_of("mine"))])
    (cpu,) = (panel for panel in page_data(panels(report, Style())).panels if panel.target == "cpu")
    hovers = " ".join(point.hover for series in cpu.series for point in series.points)
    assert "top-1 70.844 %, published" in hovers
    assert "top-1 75 %, stated" in hovers
