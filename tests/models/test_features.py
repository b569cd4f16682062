"""Networks as backbones: shapes, values, gradients, and a detector's neck on top."""

import math

import pytest
import torch
from torch import nn

from models import UserError, find
from models.features import backbone
from models.published import published
from models.zoo import zoo

SMALL = (
    "zennet-se:SuperConvK3BNRELU(3,8,2,1)SuperResIDWE2K3(8,12,2,8,1)SuperResIDWE2K3(12,16,1,8,1)"
    "SuperResIDWE2K3(16,24,2,16,1)SuperConvK1BNRELU(24,40,1,1)@64"
)
# Of timm: a backbone class of its own, one that rewrites the network, one that lifts its stages, one that wraps it.
OTHERS = ("timm:test_efficientnet@64", "timm:test_resnet@64", "timm:test_convnext@64", "timm:test_vit@160")


def hooked(module: nn.Module, names: list[str], images: torch.Tensor) -> list[torch.Tensor]:
    """What the named modules of a classifier give on the way to its logits."""
    seen: dict[str, torch.Tensor] = {}
    for name in names:
        module.get_submodule(name).register_forward_hook(lambda _, __, out, name=name: seen.__setitem__(name, out))
    with torch.inference_mode():
        module(images)
    return [seen[name] for name in names]


@pytest.mark.parametrize("name", published())
def test_shapes_are_what_feature_info_says(name):
    model = zoo()[name]
    features = backbone(model, model.architecture())
    info, px = features.feature_info, model.resolution_px
    assert info.reduction() == [2, 4, 8, 16, 32]
    maps = features(torch.empty(2, 3, px, px, device="meta"))
    assert [tuple(one.shape) for one in maps] == [
        (2, channels, math.ceil(px / stride), math.ceil(px / stride))
        for channels, stride in zip(info.channels(), info.reduction(), strict=True)
    ]
    assert set(features.state_dict()) <= set(model.architecture().state_dict())
    assert {"num_chs", "reduction", "module"} <= set(info[0])


def test_the_maps_of_a_zennet_are_the_last_before_each_downsampling():
    (model,) = find("*latency05ms*")
    info = backbone(model, model.architecture()).feature_info
    assert info.channels() == [8, 64, 152, 640, 5304]
    assert info.module_name() == [f"module_list.{number}" for number in (0, 1, 2, 4, 8)]


def test_a_structure_that_halves_otherwise_has_other_maps():
    (model,) = find("zennet:SuperConvK3BNRELU(3,8,1,1)SuperConvK3BNRELU(8,12,4,1)SuperConvK1BNRELU(12,16,1,1)@32")
    info = backbone(model, model.architecture()).feature_info
    assert (info.channels(), info.reduction()) == ([8, 16], [1, 4])


@pytest.mark.parametrize("source", [SMALL, "timm:test_efficientnet@64"])
def test_values_are_those_on_the_way_to_the_logits(source):
    (model,) = find(source)
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    features = model.build(features_only=True)
    names = features.feature_info.module_name()
    names = [name if name else "bn1" for name in names]
    expected = hooked(model.build(), names, images)
    for found, seen in zip(features(images), expected, strict=True):
        assert torch.equal(found, seen)


@pytest.mark.parametrize("source", OTHERS)
def test_a_backbone_of_timm_has_the_weights_of_the_classifier(source):
    (model,) = find(source)
    features, classifier = model.build(features_only=True), model.build()
    images = torch.randn(2, 3, model.resolution_px, model.resolution_px, generator=torch.Generator().manual_seed(1))
    last = features(images)[-1]
    with torch.inference_mode():
        expected = classifier.forward_intermediates(images, intermediates_only=True)[-1]
    assert last.shape == expected.shape
    assert torch.allclose(last, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
    assert not features.training


@pytest.mark.parametrize("source", [SMALL, "timm:test_efficientnet@64"])
def test_a_checkpoint_of_the_classifier_is_one_of_the_backbone(source, tmp_path):
    (model,) = find(source)
    state = {key: tensor + 1 for key, tensor in model.build().state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "weights.pth")
    features = model.build(tmp_path / "weights.pth", features_only=True)
    assert len(features.state_dict()) > 10
    assert all(torch.equal(tensor, state[key]) for key, tensor in features.state_dict().items())
    with pytest.raises(UserError, match="unreadable checkpoint"):
        model.build(tmp_path / "absent.pth", features_only=True)


def test_out_indices_choose_the_maps_and_leave_out_what_lies_behind():
    (model,) = find(SMALL)
    images = torch.randn(1, 3, 64, 64)
    every = model.build(features_only=True)
    some = model.build(features_only=True, out_indices=(1, 0))
    assert (some.feature_info.channels(), some.feature_info.reduction()) == ([16, 8], [4, 2])
    assert all(torch.equal(one, every(images)[index]) for one, index in zip(some(images), (1, 0), strict=True))
    assert len(some.module_list) == 3
    assert model.build(features_only=True, out_indices=(-1,)).feature_info.reduction() == [8]


@pytest.mark.parametrize(
    ("source", "out_indices", "says"),
    [
        (SMALL, (0, 3), "out_indices name no map"),
        (SMALL, (), "out_indices name no map"),
        ("timm:test_resnet@64", (0, 9), "timm has no such feature maps of test_resnet"),
    ],
)
def test_indices_of_no_map_are_one_error(source, out_indices, says):
    with pytest.raises(UserError, match=says) as caught:
        find(source)[0].build(features_only=True, out_indices=out_indices)
    assert "\n" not in str(caught.value)


class Detector(nn.Module):
    """A feature pyramid on a backbone, and one convolution that scores each place of each of its maps."""

    def __init__(self, features: nn.Module) -> None:
        from torchvision.ops import FeaturePyramidNetwork

        super().__init__()
        self.features = features
        self.pyramid = FeaturePyramidNetwork(features.feature_info.channels(), 16)
        self.places = nn.Conv2d(16, 5, 3, padding=1)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        strides = self.features.feature_info.reduction()
        maps = {str(stride): one for stride, one in zip(strides, self.features(images), strict=True)}
        return [self.places(level) for level in self.pyramid(maps).values()]


@pytest.mark.parametrize("source", [SMALL, "timm:test_efficientnet@64"])
def test_a_detector_takes_it_and_trains_it(source):
    features = find(source)[0].build(features_only=True)
    assert not any(parameter.requires_grad for parameter in features.parameters())
    torch.manual_seed(0)
    detector = Detector(features.requires_grad_(True)).train()
    before = {key: tensor.clone() for key, tensor in features.state_dict().items()}
    steps = torch.optim.SGD(detector.parameters(), lr=0.01)
    for level, stride in zip(detector(torch.randn(2, 3, 64, 64)), features.feature_info.reduction(), strict=True):
        assert level.shape == (2, 5, 64 // stride, 64 // stride)
        level.square().mean().backward(retain_graph=True)
    gradients = {key: parameter.grad for key, parameter in features.named_parameters()}
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients.values())
    assert sum(bool(gradient.abs().max() > 0) for gradient in gradients.values()) > 0.9 * len(gradients)
    steps.step()
    after = features.state_dict()
    moved = [key for key in gradients if not torch.equal(after[key], before[key])]
    assert len(moved) > 0.9 * len(gradients)
    assert any(key.endswith("running_mean") and not torch.equal(after[key], before[key]) for key in after)
