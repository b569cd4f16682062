import msgspec
import pytest

from bench.accuracy.table import print_accuracies, print_remarks
from models.weights import SEEDED


def row(capsys, accuracy) -> str:
    print_accuracies("cpu", [("net", accuracy)])
    return capsys.readouterr().out.splitlines()[1]


def test_a_sample_of_100_images_shows_its_ten_points_and_what_the_file_loses(accuracy, capsys):
    shown = row(capsys, accuracy).split()
    assert shown == ["net", "100", "60.0", "50.2", "to", "69.1", "80.0", "90.0", "+3.0", "-2.5", "to", "+8.3"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"labelled": 0}, "no known class"),
        ({"labelled": 0, "images": 0}, "no image could be read"),
    ],
)
def test_what_has_no_accuracy_says_why_and_shows_no_figure_of_it(accuracy, capsys, changes, says):
    shown = row(capsys, msgspec.structs.replace(accuracy, **changes))
    assert says in shown
    assert "60.0" not in shown
    assert "+3.0" not in shown


def test_seeded_weights_show_agreement_alone(accuracy, capsys):
    artifact = msgspec.structs.replace(accuracy.artifact, weights=SEEDED)
    shown = row(capsys, msgspec.structs.replace(accuracy, artifact=artifact, labelled=0))
    assert "seeded weights" in shown
    assert "90.0" in shown


def test_images_of_no_known_class_are_counted(accuracy, capsys):
    assert "100, 90 of a known class" in row(capsys, msgspec.structs.replace(accuracy, labelled=90))


def test_a_reason_stands_in_the_place_of_figures(capsys):
    assert "no figure: crashed (SIGSEGV)" in row(capsys, "crashed (SIGSEGV)")


def test_every_kind_of_file_left_out_is_counted_once_and_some_are_named(accuracy, capsys):
    left_out = {f"{number}.jpg": "cut off" for number in range(1200)} | {"a.txt": "no image by its suffix"}
    accuracy = msgspec.structs.replace(accuracy, left_out=left_out, remarks={"b.jpg": "CMYK"})
    print_remarks([accuracy, accuracy])
    assert capsys.readouterr().err.splitlines() == [
        "left out, cut off: 1,200 files: 0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg and 1,195 more",
        "left out, no image by its suffix: 1 file: a.txt",
        "evaluated, CMYK: 1 file: b.jpg",
    ]
