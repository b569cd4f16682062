"""Networks of no known accuracy: a strip below the panel, only where there are some."""

import pytest

from bench.trust.verdict import Verdict
from reports.chart.axes import accuracy_range, strip_below
from reports.chart.chart import Style, _figure, panels
from reports.gather import gather, narrow
from reports.page.data import page_data


@pytest.fixture
def report(make_record, network_of):
    def make(*names, unknown=("mine", "yours")):
        records = [make_record(name) for name in names]
        records += [
            make_record(network_of(name, None), seconds=[0.02] * 6, verdict=Verdict(word="drifting"))
            for name in unknown
        ]
        return narrow(gather(records), ["cpu"], ["*"])

    return make


def ticks(axes) -> list[str]:
    return [text.get_text() for text in axes.get_yticklabels()]


@pytest.mark.parametrize("log", [False, True])
def test_networks_of_no_known_accuracy_stand_below_the_others(report, log):
    found = report("EfficientNet-B3", "EfficientNet-B5")
    axes = _figure(found, Style(log=log)).axes[0]
    (panel,) = panels(found, Style())
    strip = strip_below(panel.measured)
    assert [point.name for point in panel.unrated] == ["mine", "yours"]
    assert axes.get_ylim() == (strip.bottom, accuracy_range(panel.measured)[1])
    assert strip.top < min(point.top1_percent for point in panel.measured)
    marked = [line for line in axes.lines if line.get_linestyle() == "None" and line.get_marker() not in ("x", "|")]
    assert [tuple(line.get_xydata()[0]) for line in marked].count((20.0, strip.middle)) == 2
    assert ticks(axes)[0] == "none"
    assert {"mine", "B5"} <= {text.get_text() for text in axes.texts}


def test_without_them_there_is_no_strip(report):
    found = report("EfficientNet-B3", unknown=())
    (panel,) = panels(found, Style())
    axes = _figure(found, Style()).axes[0]
    assert "none" not in ticks(axes)
    assert axes.get_ylim() == accuracy_range(panel.measured)
    assert not page_data([panel]).panels[0].unrated


def test_a_panel_may_have_nothing_else(report):
    axes = _figure(report(), Style()).axes[0]
    assert ticks(axes) == ["none"]
    assert "not usable" in {text.get_text() for text in axes.figure.legends[0].get_texts()}
    assert {"mine", "yours"} & {text.get_text() for text in axes.texts}


def test_the_page_has_them_too(report):
    (data,) = page_data(panels(report("EfficientNet-B3"), Style())).panels
    assert [(point.ms, point.usable) for point in data.unrated] == [(20.0, False)] * 2
    assert "<b>mine</b>" in data.unrated[0].hover
    assert "top-1 not known" in data.unrated[0].hover
    assert data.accuracy_range[0] == data.strip[0] < data.strip[1] < data.strip[2]
    assert data.latency_range[1] > 20
