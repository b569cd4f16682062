from pathlib import Path

import pytest
from msgspec.structs import replace

from devices.peaks import Peaks
from devices.targets import find_targets
from models.layers import Layer
from models.published import published
from reports.floor import Floors, roofline
from reports.gather import gather

PEAKS = Peaks(title="a chip", ops={"fp32": 1e9}, memory=1e9, cache=0, source=["made up"])
(CPU,) = find_targets("cpu")


def test_compute_and_memory_bound_layers_each_count_by_their_own_limit():
    compute = Layer(macs=1_000_000, weights=10, inputs=10, outputs=10)
    moving = Layer(macs=10, weights=1_000_000, inputs=10, outputs=10)
    floor = roofline([compute, moving], PEAKS, CPU)
    assert floor.compute_ms == pytest.approx(2.00002)
    assert floor.memory_ms == pytest.approx(4 * 1_000_030 / 1e6)
    assert floor.whole_ms == floor.memory_ms
    assert floor.layers_ms == pytest.approx(2 + 4 * 1_000_020 / 1e6)


def test_a_batch_shares_the_weights():
    layer = Layer(macs=10, weights=1_000_000, inputs=0, outputs=0)
    one, many = (roofline([layer], PEAKS, replace(CPU, batch=batch)) for batch in (1, 10))
    assert many.memory_ms == pytest.approx(one.memory_ms / 10)


def test_what_the_cache_holds_need_not_travel():
    layer = Layer(macs=10, weights=100, inputs=0, outputs=0)
    assert roofline([layer], replace(PEAKS, cache=1000), CPU).memory_ms == 0


def test_a_precision_without_a_peak_has_no_floor():
    assert roofline([Layer(1, 1, 1, 1)], PEAKS, replace(CPU, precision="int8")) is None


def test_only_a_printed_peak_makes_a_latency_impossible():
    layer = [Layer(macs=1_000_000, weights=0, inputs=0, outputs=0)]
    assert roofline(layer, PEAKS, CPU).broken_by(1.9)
    assert not roofline(layer, PEAKS, CPU).broken_by(2.1)
    assert not roofline(layer, replace(PEAKS, measured=True), CPU).broken_by(1.9)


def test_no_published_number_is_below_what_its_whole_device_can_do():
    report, floors = gather([]), Floors(Path("absent"))
    for column in report.columns:
        for network in report.networks:
            floor = floors.floor(column, network, as_published=True)
            assert not floor.broken_by(published()[network.name].latency_ms[column.name])


def test_a_target_on_one_core_has_a_quarter_of_the_compute_rate():
    report, floors = gather([]), Floors(Path("absent"))
    (pixel2,) = (column for column in report.columns if column.name == "pixel2")
    network = report.networks[0]
    one, four = floors.floor(pixel2, network), floors.floor(pixel2, network, as_published=True)
    assert one.compute_ms == pytest.approx(4 * four.compute_ms)
