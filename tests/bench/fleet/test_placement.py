import pytest

from bench.fleet.placement import demand_of, devices_of
from devices.targets import find_targets
from system.cluster import Demand, Node


def node(**resources):
    return Node("a", "host", {"CPU": 8.0} | resources)


GPU = {"GPU": 2.0, "accelerator_type:V100": 1.0}


def demand(name, *nodes):
    return demand_of(find_targets(name)[0], nodes)


def test_a_processor_is_measured_with_all_cores_of_its_host():
    assert demand("cpu", node()) == Demand({"CPU": 1.0}, whole_host=True)


def test_a_resource_of_the_targets_name_comes_first():
    assert demand("cpu", node(), node(cpu=1.0)) == Demand({"cpu": 1.0, "CPU": 1.0}, whole_host=True)


def test_a_gpu_is_taken_by_its_kind_beside_a_core():
    found = demand("v100", node(**GPU))
    assert found.resources["GPU"] == found.resources["CPU"] == 1.0
    assert 0 < found.resources["accelerator_type:V100"] < 0.01
    assert not found.whole_host


def test_a_gpu_of_another_kind_is_not_taken():
    found = demand("t4", node(**GPU))
    assert not node(**GPU).offers(found)


@pytest.mark.parametrize("count", [1.0, 4.0])
def test_there_are_as_many_phones_as_hosts_offer(count):
    nodes = [node(pixel2=count), node(pixel2=1.0), node()]
    assert devices_of(demand("pixel2", *nodes), nodes) == count + 1


def test_a_phone_takes_no_core():
    assert "CPU" not in demand("pixel2", node(pixel2=1.0)).resources


def test_a_processor_or_a_gpu_is_one_device_however_many_there_are():
    assert devices_of(demand("cpu", node(), node()), [node(), node()]) == 1
    assert devices_of(demand("v100", node(**GPU)), [node(**GPU)]) == 1
