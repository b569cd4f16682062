from msgspec.structs import replace

from devices.targets import find_targets
from reports.axis.curve import Axis, curves_of, without_axes
from reports.gather import gather
from tests.reports.axis.conftest import elsewhere


def numbers(curve):
    return [point.number for point in curve.points]


def test_batches_of_a_target_are_a_curve_in_their_order(along_batch):
    (curve,) = curves_of(gather(along_batch({64: 0.02, 8: 0.004, 1: 0.001, 16: 0.006})))
    assert (curve.axis, curve.target, curve.model) == (Axis.BATCH, "gpu", "EfficientNet-B3")
    assert numbers(curve) == [1, 8, 16, 64]
    assert [point.number for point in curve.points if point.is_own] == [64]


def test_resolutions_of_a_network_are_a_curve_its_own_one_among_them(along_resolution):
    (curve,) = curves_of(gather(along_resolution({224: 0.01, 300: 0.02, 160: 0.005})))
    assert (curve.axis, curve.target, curve.model) == (Axis.RESOLUTION, "cpu", "EfficientNet-B3")
    assert numbers(curve) == [160, 224, 300]
    assert [point.number for point in curve.points if point.is_own] == [300]


def test_two_points_are_no_curve_and_stay_in_the_tables(along_batch, along_resolution):
    records = along_batch({64: 0.02, 8: 0.004, 1: None}) + along_resolution({160: 0.005, 300: 0.02})
    report = gather(records)
    assert curves_of(report) == []
    assert without_axes(report, []) == report
    assert {"gpu", "gpu@8", "gpu@1"} <= {column.name for column in report.columns}


def test_a_curve_keeps_a_point_without_a_number(along_batch):
    (curve,) = curves_of(gather(along_batch({1: 0.001, 8: 0.004, 16: 0.006, 64: None})))
    assert numbers(curve) == [1, 8, 16, 64]
    assert len(curve.measured) == 3


def test_another_machine_is_another_curve(along_batch):
    here, there = along_batch({1: 0.001, 8: 0.004, 16: 0.006}), along_batch({32: 0.01, 64: 0.02})
    (curve,) = curves_of(gather(here + [elsewhere(record) for record in there]))
    assert numbers(curve) == [1, 8, 16]


def test_of_two_names_for_one_resolution_the_plain_one_counts(along_resolution):
    records = along_resolution({32: 0.001, 64: 0.002, 96: 0.004}, "timm:test_resnet")
    plain = [replace(record, model=replace(record.model, name="timm:test_resnet")) for record in records[1:2]]
    (curve,) = curves_of(gather(records + plain))
    assert [point.network.name for point in curve.points] == [
        "timm:test_resnet@32",
        "timm:test_resnet",
        "timm:test_resnet@96",
    ]


def test_the_tables_keep_the_own_batch_and_resolution_alone(along_batch, along_resolution):
    records = along_batch({1: 0.001, 8: 0.004, 64: 0.02}) + along_resolution({160: 0.005, 224: 0.01, 300: 0.02})
    report = gather(records)
    kept = without_axes(report, curves_of(report))
    assert [column.name for column in kept.columns] == ["v100", "t4", "pixel2", "cpu", "gpu"]
    assert [network.name for network in kept.networks if "@" in network.name] == []
    assert {len(kept.columns[at].cells) for at in (3, 4)} == {1}


def test_a_network_named_by_its_resolution_stays_where_only_the_batch_varies(along_resolution):
    records = [
        replace(record, target=target)
        for record in along_resolution({64: 0.001}, "timm:test_resnet")
        for target in (find_targets(name)[0] for name in ("cpu", "cpu@2", "cpu@4"))
    ]
    report = gather(records)
    (curve,) = curves_of(report)
    assert (curve.axis, curve.target, curve.model) == (Axis.BATCH, "cpu", "timm:test_resnet@64")
    kept = without_axes(report, [curve])
    assert [column.name for column in kept.columns if column.measured] == ["cpu"]
    assert "timm:test_resnet@64" in {network.name for network in kept.networks}


def test_columns_stand_by_their_targets_the_batches_ascending(along_batch, make_record):
    records = [make_record(target="cpu-tflite"), *along_batch({16: 0.04, 64: 0.02, 8: 0.004}), make_record()]
    names = [column.name for column in gather(records).columns]
    assert names == ["v100", "t4", "pixel2", "cpu", "gpu", "gpu@8", "gpu@16", "cpu-tflite"]
