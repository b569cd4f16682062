from hypothesis import example, given
from hypothesis import strategies as st

from reports.chart.labels import Box, Label, arrange

FRAME = Box(0, 0, 400, 300)
coordinates = st.tuples(st.floats(0, 400), st.floats(0, 300))


@example(points=[(0.0, 5.0)], line=[(7.0, 1.0)])
@given(st.lists(coordinates, max_size=15), st.lists(coordinates, max_size=5))
def test_no_label_covers_another_a_point_or_leaves_the_frame(points, line):
    labels = [Label(f"{number}", *at, 40, 10) for number, at in enumerate(points)]
    taken = [Box.around(*at, 4) for at in points]
    placed = [box for _, box in arrange(labels, [line], taken, FRAME, 6)]
    for number, box in enumerate(placed):
        assert box.inside(FRAME)
        assert not any(box.overlaps(other) for other in placed[:number])
        assert not any(box.overlaps(other) for other in taken)
        assert not any(box.left < x < box.right and box.bottom < y < box.top for x, y in line)


def test_a_label_with_room_stands_right_of_its_point():
    ((_, box),) = arrange([Label("a", 100, 100, 40, 10)], [], [Box.around(100, 100, 4)], FRAME, 6)
    assert box == Box(106, 95, 146, 105)


def test_a_label_avoids_the_line_that_leaves_to_the_right():
    line = [(100.0, 100.0), (300.0, 100.0)]
    ((_, box),) = arrange([Label("a", 100, 100, 40, 10)], [line], [], FRAME, 6)
    assert box.top <= 100
