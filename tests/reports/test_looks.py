import pytest

from bench.records.network_run import network_of
from models import find
from models.zoo import zoo
from reports.looks import looks, series_of, short_names

NETWORKS = [network_of(model) for model in zoo().values()]


def test_sixty_three_families_look_different(network_of):
    families = [network_of(f"net{number}", family=f"family {number}") for number in range(50)]
    found = looks([*NETWORKS, *families])
    assert len({(look.colour, look.marker) for look in found.values()}) == len(found) == 63
    assert len({(look.colour, look.symbol) for look in found.values()}) == 63


def test_a_family_looks_alike_in_every_chart():
    few = [network for network in NETWORKS if network.family in ("ResNet", "MnasNet")]
    assert {family: looks(few)[family] for family in ("ResNet", "MnasNet")}.items() <= looks(NETWORKS).items()
    assert looks([])["ZenNet"] == looks(NETWORKS)["ZenNet"]


@pytest.mark.parametrize(
    ("name", "short", "series"),
    [
        ("zennet_imagenet1k_flops400M_SE_res224", "flops400M_SE", "flops"),
        ("zennet_imagenet1k_latency01ms_res224", "latency01ms", "latency"),
        ("EfficientNet-B3", "B3", "B"),
        ("RegNetY-1.6GF", "Y-1.6GF", "Y-"),
        ("RegNetX-400MF", "X-400MF", "X-"),
        ("ResNet-50", "ResNet-50", "ResNet-"),
        ("MnasNet-Small", "MnasNet-Small", "MnasNet-"),
        ("MnasNet-100", "MnasNet-100", "MnasNet-"),
        ("MobileNetV3-Large-100", "V3-Large-100", "V3-Large-"),
        ("ConvNeXt-Atto", "Atto", ""),
        ("MobileNetV4-Conv-Small", "Conv-Small", "Conv-"),
        ("RepViT-M0.9", "M0.9", "M"),
    ],
)
def test_a_label_says_what_tells_a_network_from_its_family(name, short, series):
    assert short_names(NETWORKS)[name] == short
    assert series_of(short) == series


def test_the_resolution_is_no_series():
    assert series_of("resnet50@160") == "resnet"


def test_networks_from_elsewhere_keep_what_tells_them_apart():
    found = [network_of(model) for source in ("timm:resnet18", "timm:resnet34") for model in find(source)]
    assert list(short_names(found).values()) == ["resnet18", "resnet34"]
