"""Floors of networks outside the zoo, and the reasons why there is none."""

from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace

from bench.records.record import Network
from devices.targets import find_targets
from models.layers import known_layers
from models.zoo import zoo
from reports.cells import Column
from reports.floor import Floors
from reports.network_layers import MOST_LISTED, NetworkLayers


def network(source, name="mine", px=32):
    return Network(name=name, family="custom", resolution_px=px, source=source, params=1, macs=1, top1_percent=None)


TINY = network("zennet:SuperConvK3BNRELU(3,8,2,1)")


def column(name):
    return Column(find_targets(name)[0], {})


def test_a_network_outside_the_zoo_is_counted_from_its_source():
    model = zoo()["zennet_imagenet1k_flops400M_SE_res224"]
    listed = NetworkLayers().of(network(model.source, px=model.resolution_px))
    assert Counter(listed) == Counter(known_layers(model.name))
    assert Floors(Path("absent")).floor(column("v100"), TINY).whole_ms > 0


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("timm:no_such_network", "timm has no such network"),
        ("zennet:nonsense(", "can't be counted"),
        ("elsewhere:x", "none that can be counted"),
        ("", "none that can be counted"),
    ],
)
def test_one_that_cannot_be_counted_says_why(source, reason):
    assert reason in NetworkLayers().of(network(source)).reason
    assert reason in Floors(Path("absent")).lack_of(column("v100"), network(source))


def test_only_some_are_counted():
    layers = NetworkLayers()
    found = [layers.of(network(f"elsewhere:{at}")) for at in range(MOST_LISTED + 1)]
    assert "only the first" in found[-1].reason
    assert "only the first" not in found[-2].reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pixel2-gpu", "no source gives the peaks of the GPU of Pixel 2"),
        ("android", "no source gives the peaks of any"),
        ("cpu", "no probe of this CPU"),
        ("pixel2", ""),
    ],
)
def test_a_column_without_peaks_says_so(name, reason):
    floors = Floors(Path("absent"))
    assert reason in floors.lack(column(name))
    assert (floors.floor(column(name), TINY) is None) == bool(reason)


def test_a_precision_without_a_peak_says_so():
    target = replace(find_targets("v100")[0], precision="int4")
    assert "a peak of Tesla V100 SXM2 in int4" in Floors(Path("absent")).lack(Column(target, {}))
