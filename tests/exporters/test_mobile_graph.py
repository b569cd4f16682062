"""Rewrites of traced networks: what they change, and that the network computes the same."""

import torch
from torch import nn

from exporters.mobile_graph import drop_expands, keep_pooled_axes


class Gated(nn.Module):
    """A map times a factor of each channel, expanded as timm's efficient channel attention does, in two spellings."""

    def forward(self, images):
        factors = images.mean((2, 3), keepdim=True)
        return images * factors.expand_as(images) + factors.expand(-1, -1, *images.shape[2:]) * images


class Tiled(nn.Module):
    """The expanded map itself is what is wanted, or it multiplies one that has to be expanded too."""

    def forward(self, images):
        pooled = images.mean((2, 3), keepdim=True)
        return pooled.expand_as(images) + pooled * pooled.expand_as(images)


class Squared(nn.Module):
    def forward(self, images):
        expanded = images.mean((2, 3), keepdim=True).expand_as(images)
        return expanded * expanded


def traced(network: nn.Module):
    return torch.export.export(network.eval(), (torch.zeros(2, 3, 4, 4),)).module()


def calls(module, word: str) -> int:
    return sum(word in str(node.target) for node in module.graph.nodes)


def test_a_factor_that_is_expanded_for_a_product_broadcasts_instead():
    images, module = torch.rand(2, 3, 4, 4), traced(Gated())
    assert calls(module, "expand") == 2
    drop_expands(module)
    assert calls(module, "expand") == 0
    assert torch.allclose(module(images), Gated()(images))


def test_an_expanded_map_that_something_else_needs_stays():
    images = torch.rand(2, 3, 4, 4)
    for network in (Tiled(), Squared()):
        module = traced(network)
        before = calls(module, "expand")
        drop_expands(module)
        assert calls(module, "expand") == before > 0
        assert torch.allclose(module(images), network(images))


def test_a_mean_over_a_map_keeps_its_axes():
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)).eval()

    class Mean(nn.Module):
        def forward(self, images):
            return network[3](network[0](images).mean((2, 3)))

    images, module = torch.rand(2, 3, 4, 4), traced(Mean())
    keep_pooled_axes(module)
    (mean,) = [node for node in module.graph.nodes if "mean" in str(node.target)]
    assert mean.args[2] is True
    assert torch.allclose(module(images), Mean()(images), atol=1e-6)
