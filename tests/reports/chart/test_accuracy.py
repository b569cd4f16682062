"""A chart of measured accuracies: how they are marked, joined and labelled."""

import pytest

from models.zoo import zoo
from reports.chart.axes import ACCURACY_TITLE
from reports.chart.chart import Style, _figure, panels
from reports.chart.labels import Box
from reports.chart.panel import at
from reports.gather import gather, narrow

ZENNETS = [name for name in zoo() if name.startswith("zennet_imagenet1k_latency")]
EFFICIENTNETS = ["EfficientNet-B3", "EfficientNet-B5", "EfficientNet-B6"]


@pytest.fixture
def report(make_record, make_accuracy, trained):
    """Every network on the CPU, `evaluated` of them on `images` images each, by share right."""

    def make(evaluated, images):
        records = [
            trained(make_record(name, seconds=[0.004 * (at + 1) * (1 + part / 400) for part in range(6)]))
            for at, name in enumerate([*ZENNETS, *EFFICIENTNETS])
        ]
        accuracies = [
            make_accuracy(record, int(evaluated[record.model.name] * images), images, lost=0, gained=0)
            for record in records
            if record.model.name in evaluated
        ]
        return narrow(gather(records, accuracies), ["cpu"], ["*"])

    return make


def of_all(step: float) -> dict[str, float]:
    names = [*ZENNETS, *EFFICIENTNETS]
    return {name: 0.72 + step * at + (0.002 if name in ZENNETS else 0) for at, name in enumerate(names)}


def legend(report) -> list[str]:
    (shown,) = _figure(report, Style()).legends
    return [text.get_text() for text in shown.get_texts()]


def test_a_point_is_at_the_accuracy_of_its_file_else_at_the_published_one(report):
    (panel,) = panels(report({"EfficientNet-B3": 0.71}, 100), Style())
    found = {point.name: at(point)[1] for point in panel.measured}
    assert (found["EfficientNet-B3"], found["EfficientNet-B5"]) == (71, 83.3)
    assert panel.subtitle.endswith("; top-1 on 100 images of photographs")


def test_the_legend_tells_measured_accuracies_from_published_ones(report):
    some, every, none = (report(found, 1000) for found in ({"EfficientNet-B3": 0.71}, of_all(0.01), {}))
    assert [each for each in legend(some) if "published" in each or "both" in each] == [
        "latency measured, accuracy published",
        "both measured, on 1,000 images",
    ]
    assert [each for each in legend(every) if "published" in each or "both" in each] == [
        "both measured, on 1,000 images"
    ]
    assert "measured, 95 % interval" in legend(none)
    assert not any("both" in each for each in legend(none))


def test_the_markers_of_measured_accuracies_have_an_edge_of_their_own(report):
    figure = _figure(report({"EfficientNet-B3": 0.71}, 1000), Style())
    edges = {
        line.get_markeredgecolor(): list(line.get_ydata())
        for line in figure.axes[0].lines
        if line.get_marker() == "s" and line.get_linestyle() == "None"
    }
    assert edges["#111111"] == [71]
    assert 71 not in edges["#0072b2"]
    assert figure.axes[0].get_ylabel() != ACCURACY_TITLE


def test_a_line_joins_accuracies_of_one_kind(report):
    figure = _figure(report({"EfficientNet-B3": 0.71, "EfficientNet-B6": 0.73}, 1000), Style())
    joined = [list(line.get_ydata()) for line in figure.axes[0].lines if line.get_linestyle() == "-"]
    assert [71, 73] in joined
    assert not any(71 in each and 83.3 in each for each in joined)


@pytest.mark.parametrize("images", [100, 1000, 50_000])
@pytest.mark.parametrize("step", [0.0005, 0.004, 0.02, -0.01])
@pytest.mark.parametrize("log", [False, True])
def test_no_text_covers_the_bar_of_an_accuracy(report, images, step, log):
    axes = _figure(report(of_all(step), images), Style(log=log)).axes[0]
    bars = [bar for collection in axes.collections for bar in collection.get_segments()]
    upright = [axes.transData.transform(bar) for bar in bars if bar[0][0] == bar[1][0]]
    assert len(upright) == len(ZENNETS) + len(EFFICIENTNETS)
    frame = Box(*axes.get_window_extent().extents)
    texts = [(text.get_text(), Box(*text.get_window_extent().extents)) for text in axes.texts if text.get_text()]
    inside = [(text, box) for text, box in texts if box.inside(frame)]
    assert inside
    for text, box in inside:
        for (x, bottom), (_, top) in upright:
            assert not box.overlaps(Box(x - 1, bottom, x + 1, top)), text
