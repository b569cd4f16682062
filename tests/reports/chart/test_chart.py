import pytest

from bench.trust.verdict import Verdict
from reports.chart.chart import Style, _figure, panels
from reports.gather import gather, narrow
from reports.page.data import page_data


def test_the_axis_keeps_its_name_inside_the_picture_where_panels_hold_one_network(make_record):
    targets = ("cpu", "cpu-torch", "cpu-int8", "cpu-tflite", "fake")
    report = narrow(gather([make_record("EfficientNet-B3", target, [0.02] * 6) for target in targets]), targets, ["*"])
    figure = _figure(report, Style())
    figure.canvas.draw()
    named = [axes for axes in figure.axes if axes.get_ylabel()]
    assert len(named) == 2
    assert all(axes.yaxis.label.get_window_extent().x0 >= 0 for axes in named)


@pytest.mark.parametrize("word", ["stable", "drifting"])
def test_the_arrow_says_where_its_factor_is_from_numbers_in_doubt(make_record, word):
    models = ("zennet_imagenet1k_latency03ms_res224", "EfficientNet-B3", "EfficientNet-B5")
    records = [
        make_record(model, verdict=Verdict(word=word if model == "EfficientNet-B5" else "stable")) for model in models
    ]
    report = narrow(gather(records), ["cpu"], ["*"])
    texts = [text.get_text() for axes in _figure(report, Style()).axes for text in axes.texts]
    (arrow,) = [text for text in texts if text.startswith("1.0")]
    (panel,) = page_data(panels(report, Style())).panels
    assert ("not all usable" in arrow) == ("not all usable" in panel.arrow.text) == (word != "stable")
