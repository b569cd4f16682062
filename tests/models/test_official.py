"""Which published checkpoint a network has, and that it is the one that the published number is of."""

import dataclasses

import pytest

from models import find
from models.official import official_of
from models.photographs.preprocessing import preprocessing_of
from models.timm_networks import timm_configuration
from models.zoo import zoo

EFFICIENTNETS = [model for model in zoo().values() if model.family == "EfficientNet"]


def test_each_network_of_the_zoo_has_one_of_its_own():
    found = [official_of(model) for model in zoo().values()]
    assert all(official.address.startswith("https://") for official in found)
    for names in zip(*((official.address, official.file, official.also) for official in found), strict=True):
        assert len(set(names)) == len(zoo())


@pytest.mark.parametrize("model", EFFICIENTNETS, ids=lambda model: model.name)
def test_an_efficientnet_s_is_of_imagenet_alone(model):
    official = official_of(model)
    assert official.file.endswith(".aa_in1k.pth")
    assert "_aa-" in official.also
    assert official.also.endswith(f"-{official.sha256_begins}.pth")
    assert len(official.sha256_begins) == 8


@pytest.mark.parametrize("model", EFFICIENTNETS, ids=lambda model: model.name)
def test_an_efficientnet_s_is_evaluated_as_timm_s_default_is(model):
    # Photographs are prepared by the default configuration.
    how = preprocessing_of(model)
    same = dataclasses.replace(model, source=model.source.removesuffix(".aa_in1k"))
    own, default = timm_configuration(model.spec), timm_configuration(same.spec)
    fields = ("crop_pct", "interpolation", "mean", "std", "num_classes")
    assert [getattr(own, name) for name in fields] == [getattr(default, name) for name in fields]
    assert (how.mean, how.std, how.interpolation) == (own.mean, own.std, own.interpolation)
    assert own.tag == "aa_in1k" != default.tag


@pytest.mark.parametrize(
    ("source", "file", "ends"),
    [
        ("timm:tf_efficientnet_lite0@224", "tf_efficientnet_lite0.in1k.pth", "/tf_efficientnet_lite0-0aa007d2.pth"),
        ("timm:tf_efficientnet_b3@300", "tf_efficientnet_b3.ns_jft_in1k.pth", "/tf_efficientnet_b3_ns-9d44bf68.pth"),
        ("timm:tf_efficientnet_b3.aa_in1k@300", "tf_efficientnet_b3.aa_in1k.pth", "_aa-84b4657e.pth"),
        (
            "timm:convnext_tiny.in12k_ft_in1k@224",
            "convnext_tiny.in12k_ft_in1k.safetensors",
            "//huggingface.co/timm/convnext_tiny.in12k_ft_in1k/resolve/main/model.safetensors",
        ),
    ],
)
def test_any_network_of_timm_has_that_of_its_configuration(source, file, ends):
    (model,) = find(source)
    official = official_of(model)
    assert official.file == file
    assert official.address.endswith(ends)


@pytest.mark.parametrize("source", ["zennet:SuperConvK3BNRELU(3,8,2,1)@32", "timm:mnasnet_075@224"])
def test_some_have_none(source):
    (model,) = find(source)
    assert official_of(model) is None
