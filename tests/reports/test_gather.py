import math

import msgspec
import pytest

from bench.trust.verdict import Verdict
from devices.targets import find_targets
from models.published import published
from models.zoo import zoo
from reports.gather import gather


def cell(report, target, model="EfficientNet-B3"):
    (column,) = (column for column in report.columns if column.name == target)
    return column.cells[model]


def test_without_records_there_are_the_published_networks_and_the_published_columns():
    report = gather([])
    assert [network.name for network in report.networks] == list(published())
    assert [column.heading for column in report.columns] == ["V100", "T4", "Pixel2"]
    assert cell(report, "v100").published.ms == 1.12
    assert not any(column.measured for column in report.columns)


def test_a_latency_is_of_one_image_whatever_the_batch(make_record):
    (v100,) = find_targets("v100")
    measured = cell(gather([make_record(target=v100, seconds=[0.064] * 6)]), "v100").measured
    assert measured.latency.ms == pytest.approx(1.0)
    assert measured.images_per_s == pytest.approx(1000)


def test_measured_stands_over_published_as_a_ratio(make_record):
    found = cell(gather([make_record(target="pixel2", seconds=[1.1386] * 6)]), "pixel2")
    assert found.ratio.ms == pytest.approx(2.0)


def test_a_newer_run_without_a_number_leaves_the_older_number_with_a_note(make_record):
    report = gather([make_record(seconds=None, reason="out of memory"), make_record(seconds=[0.01] * 6)])
    assert cell(report, "cpu").measured.latency.ms == pytest.approx(10)
    assert cell(report, "cpu").note == "an older number; the newest run has none: out of memory"


def test_a_number_whose_run_ended_early_says_so(make_record):
    found = cell(gather([make_record(reason="killed,\nmost likely out of memory")]), "cpu")
    assert found.measured
    assert found.note == "its run ended early: killed, most likely out of memory"


def test_a_cell_without_any_number_keeps_its_reason(make_record):
    found = cell(gather([make_record(seconds=None, reason="out of\nmemory")]), "cpu")
    assert found.measured is None
    assert found.note == "out of memory"


@pytest.mark.parametrize("seconds", [[-0.01], [0.0], [math.nan], [math.inf], [1e-300, 1.0, 1e300], []])
def test_times_that_no_clock_gives_are_no_number(make_record, seconds):
    found = cell(gather([make_record(seconds=seconds)]), "cpu")
    assert found.measured is None
    assert found.note.startswith("its record holds")


def test_a_record_of_an_unknown_target_brings_its_own_column(make_record):
    (cpu,) = find_targets("cpu")
    mine = msgspec.structs.replace(cpu, name="mine", title="My board")
    (column,) = (column for column in gather([make_record(target=mine)]).columns if column.name == "mine")
    assert column.target.title == "My board"


def test_a_network_outside_the_zoo_brings_its_own_row(make_record, network_of):
    report = gather([make_record(network_of("mine", None))])
    assert report.networks[-1].name == "mine"
    assert cell(report, "cpu", "mine").measured


def test_an_untrusted_number_says_so(make_record):
    measured = cell(gather([make_record(verdict=Verdict(word="contended", detail="80 %"))]), "cpu").measured
    assert (measured.usable, measured.verdict, measured.detail) == (False, "contended", "80 %")


def test_rows_are_the_published_networks_and_the_recorded_ones_in_the_order_of_the_zoo(make_record, network_of):
    records = [
        make_record(model) for model in (network_of("mine", None), "RepViT-M0.9", "ResNet-50", "EfficientNet-B0")
    ]
    names = [network.name for network in gather(records).networks]
    assert set(names) == {*published(), "mine", "RepViT-M0.9", "ResNet-50", "EfficientNet-B0"}
    assert names == [*(name for name in zoo() if name in names), "mine"]


@pytest.mark.parametrize("newer", [None, 71.0])
def test_an_accuracy_is_as_the_newest_record_that_has_one_states_it(make_record, network_of, newer):
    records = [
        make_record(network_of("mine", newer), "cpu-torch", time="2026-11-25T08:00:00Z"),
        make_record(network_of("mine", 70.0), "cpu", time="2026-11-24T08:00:00Z"),
    ]
    for each in (records, records[::-1]):
        (mine,) = (network for network in gather(each).networks if network.name == "mine")
        assert mine.top1_percent == (newer or 70.0)


def test_a_published_accuracy_is_never_hidden(make_record, network_of):
    other = msgspec.structs.replace(network_of("EfficientNet-B3"), top1_percent=12.0)
    (b3,) = (network for network in gather([make_record(other)]).networks if network.name == other.name)
    assert b3.top1_percent == 81.1
