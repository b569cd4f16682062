import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bench.accuracy.record import Agreement
from models.weights import SEEDED
from reports.accuracy import Accuracies, Share
from reports.gather import gather

counts = st.integers(1, 60_000).flatmap(lambda images: st.tuples(st.integers(0, images), st.just(images)))


@given(counts)
def test_a_share_lies_within_its_interval_and_that_within_percents(right_of_images):
    share = Share.of(*right_of_images)
    assert 0 <= share.low <= share.percent <= share.high <= 100
    assert share.low < share.high


def test_a_sample_of_a_hundred_images_shows_its_ten_points():
    share = Share.of(50, 100)
    assert (round(share.low), share.percent, round(share.high)) == (40, 50, 60)


def test_an_accuracy_joins_the_latency_of_the_same_file(make_record, make_accuracy, trained):
    record = trained(make_record())
    (column,) = (column for column in gather([record], [make_accuracy(record)]).columns if column.name == "cpu")
    found = column.cells["EfficientNet-B3"].accuracy
    assert (found.top1.percent, found.agreement.percent, found.lost.percent) == (71, 96, 2)
    assert (found.images, found.folder, found.evaluated_as, column.other_files) == (100, "photographs", "", [])


def test_the_accuracy_of_another_file_is_not_shown_and_its_network_is_named(make_record, make_accuracy, trained):
    record = make_record()
    (column,) = (c for c in gather([record], [make_accuracy(trained(record))]).columns if c.name == "cpu")
    assert column.cells["EfficientNet-B3"].accuracy is None
    assert column.other_files == ["EfficientNet-B3"]


def test_the_accuracy_is_of_the_file_whose_number_is_shown(make_record, make_accuracy, trained):
    old, new = make_record(), trained(make_record(seconds=None, reason="out of memory"))
    (column,) = (c for c in gather([new, old], [make_accuracy(new)]).columns if c.name == "cpu")
    assert column.cells["EfficientNet-B3"].accuracy is None


@pytest.mark.parametrize(
    ("timed", "joined"),
    [("pixel2-4threads", True), ("android", True), ("pixel2-gpu", False), ("cpu-tflite", False)],
)
def test_another_target_s_accuracy_counts_where_it_computes_alike(make_record, make_accuracy, trained, timed, joined):
    evaluated, record = trained(make_record(target="pixel2")), trained(make_record(target=timed))
    assert evaluated.artifact.sha256 == record.artifact.sha256
    found = Accuracies([make_accuracy(evaluated)]).of(record)
    assert (found.evaluated_as if found else None) == ("pixel2" if joined else None)


@pytest.mark.parametrize(
    ("option", "joined"),
    [({"serial": "HT7"}, True), ({"airplane": "never", "min_s": 2.0}, True), ({"fp16": False}, False)],
)
def test_which_phone_it_was_and_what_was_waited_for_there_is_no_other_arithmetic(
    make_record, make_accuracy, trained, option, joined
):
    record = trained(make_record(target="pixel2"))
    other = replace(record, target=replace(record.target, options=record.target.options | option))
    assert (Accuracies([make_accuracy(other)]).of(record) is not None) == joined


def test_of_several_accuracies_labels_count_first_then_the_target_then_the_newest(make_record, make_accuracy, trained):
    record, other = trained(make_record(target="pixel2")), trained(make_record(target="pixel2-4threads"))
    ranked = [
        make_accuracy(record, 70, time="2026-11-02T00:00:00Z"),
        make_accuracy(record, 69, time="2026-11-01T00:00:00Z"),
        make_accuracy(other, 68, time="2026-11-03T00:00:00Z"),
        make_accuracy(record, 0, labelled=0, images=90, time="2026-11-04T00:00:00Z"),
    ]
    for best in range(len(ranked)):
        found = Accuracies(ranked[best:]).of(record)
        assert (found.top1.percent if found.top1 else None) == [70, 69, 68, None][best]


def test_of_two_that_ended_in_one_second_the_later_line_counts(make_record, make_accuracy, trained):
    record = trained(make_record())
    found = Accuracies([make_accuracy(record, 60), make_accuracy(record, 61)]).of(record)
    assert found.top1.percent == 61


@pytest.mark.parametrize("why", ["seeded weights", "no labels"])
def test_without_training_or_labels_there_is_agreement_alone(make_record, make_accuracy, trained, why):
    record = trained(make_record())
    labelled = 100
    if why == "seeded weights":
        record = replace(record, artifact=replace(record.artifact, weights=SEEDED))
    else:
        labelled = 0
    found = Accuracies([make_accuracy(record, min(71, labelled), labelled, images=100)]).of(record)
    assert (found.top1, found.top5, found.lost) == (None, None, None)
    assert found.agreement.percent == 96


@pytest.mark.parametrize(
    "changes",
    [
        {"images": 0, "labelled": 0, "top1": 0, "top5": 0},
        {"top1": 99},
        {"labelled": 101},
        {"top1": -1},
        {"agreement": Agreement(same_top1=101, both_right=0, only_torch_right=0, only_artifact_right=0)},
        {"agreement": Agreement(same_top1=90, both_right=90, only_torch_right=9, only_artifact_right=9)},
    ],
)
def test_counts_that_images_cannot_have_are_no_accuracy(make_record, make_accuracy, trained, changes):
    record = trained(make_record())
    good = make_accuracy(record)
    assert Accuracies([good]).of(record)
    assert Accuracies([replace(good, **changes)]).of(record) is None


def test_a_record_without_a_file_has_no_accuracy(make_record, make_accuracy, trained):
    record = trained(make_record())
    assert Accuracies([make_accuracy(record)]).of(replace(record, artifact=None)) is None
