from reports.chart import Style, _figure
from reports.gather import gather, narrow


def test_the_axis_keeps_its_name_inside_the_picture_where_panels_hold_one_network(make_record):
    targets = ("cpu", "cpu-torch", "cpu-int8", "cpu-tflite", "fake")
    report = narrow(gather([make_record("EfficientNet-B3", target, [0.02] * 6) for target in targets]), targets, ["*"])
    figure = _figure(report, Style())
    figure.canvas.draw()
    named = [axes for axes in figure.axes if axes.get_ylabel()]
    assert len(named) == 2
    assert all(axes.yaxis.label.get_window_extent().x0 >= 0 for axes in named)
