"""A chart of the whole published figure: fifty networks in a panel."""

import itertools

import pytest

from models import find
from models.zoo import zoo
from reports.chart.chart import Style, _figure, panels
from reports.chart.labels import Box
from reports.gather import gather, narrow

FIGURE = find("@figure")


@pytest.fixture(scope="module")
def report(make_record):
    """The figure's networks on the CPU, slower where they compute more."""
    records = [
        make_record(
            model.name, seconds=[(0.002 + 3e-11 * _macs(model) * (1 + at % 5)) * (1 + part / 500) for part in range(6)]
        )
        for at, model in enumerate(FIGURE)
    ]
    return narrow(gather(records), ["cpu"], ["*"])


def _macs(model) -> int:
    from models.counts import counts

    return counts(model).macs


@pytest.fixture(scope="module", params=[False, True], ids=["linear", "log"])
def axes(request, report):
    return _figure(report, Style(log=request.param)).axes[0]


def texts(axes) -> list[tuple[str, Box]]:
    frame = Box(*axes.get_window_extent().extents)
    found = [(text.get_text(), Box(*text.get_window_extent().extents)) for text in axes.texts if text.get_text()]
    return [(text, box) for text, box in found if box.inside(frame)]


def markers(axes) -> list[Box]:
    """The middle of every marker: a text may touch its edge."""
    lines = [line for line in axes.lines if line.get_marker() not in (None, "None", "|")]
    at = [axes.transData.transform(position) for line in lines for position in line.get_xydata()]
    return [Box.around(float(x), float(y), 1.5) for x, y in at]


def test_no_text_covers_a_marker_or_another_text(axes):
    written, taken = texts(axes), markers(axes)
    assert len(written) > 10
    assert len(taken) == len(FIGURE)
    for text, box in written:
        assert not any(box.overlaps(marker) for marker in taken), text
    for (one, box), (other, another) in itertools.combinations(written, 2):
        assert not box.overlaps(another), (one, other)


def test_the_ends_of_the_lines_have_their_whole_names(axes):
    written = {text for text, _ in texts(axes)}
    assert {"EfficientNet-B7", "ResNet-152", "DenseNet-161", "ResNeSt-101"} <= written
    assert any("speed-up" in text or "slower" in text or "no difference" in text for text in written)


def test_each_family_is_drawn_in_lines_of_its_own(report, axes):
    (panel,) = panels(report, Style())
    looks = panel.drawn_looks()
    assert len({(look.colour, look.marker) for look in looks.values()}) == len(looks) == 8
    (regnet_x, regnet_y) = [
        line
        for line in axes.lines
        if line.get_color() == looks["RegNet"].colour and line.get_linestyle() == "-" and len(line.get_xdata()) > 2
    ]
    assert [len(line.get_xdata()) for line in (regnet_x, regnet_y)] == [5, 7]


def test_the_legend_has_the_families_in_the_order_of_the_zoo_the_published_ones_first(report):
    (legend,) = _figure(report, Style()).legends
    named = [text.get_text() for text in legend.get_texts()]
    others = dict.fromkeys(model.family for model in zoo().values() if model in FIGURE)
    assert named[: len(others)] == list(dict.fromkeys(["ZenNet", "EfficientNet", *others]))


def test_markers_shrink_with_their_number(report, axes):
    few = _figure(narrow(report, ["cpu"], ["ResNet"]), Style(against=None)).axes[0]
    sizes = [{line.get_markersize() for line in each.lines if line.get_marker() == "D"} for each in (few, axes)]
    assert max(sizes[1]) < min(sizes[0])
