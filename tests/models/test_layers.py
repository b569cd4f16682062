from collections import Counter

import pytest

from models.counts import known_counts
from models.layers import known_layers, list_layers
from models.zoo import zoo


@pytest.mark.parametrize("model", zoo().values(), ids=lambda model: model.name)
def test_the_layers_add_up_to_the_counts(model):
    layers = known_layers(model.name)
    # Products of two activations, in attention, belong to no layer.
    without_attention = not model.name.startswith(("FastViT-SA", "MobileNetV4-Hybrid"))
    assert (1 if without_attention else 0.96) <= sum(layer.macs for layer in layers) / known_counts(model).macs <= 1
    assert 0.98 < sum(layer.weights for layer in layers) / known_counts(model).params <= 1


@pytest.mark.parametrize("name", ["zennet_imagenet1k_latency01ms_res224", "EfficientNet-B3", "ResNet-50"])
def test_the_committed_layers_are_those_of_the_network(name):
    listed, known = list_layers(zoo()[name]), known_layers(name)
    assert Counter(listed) == Counter(known)
    assert (listed[0], listed[-1]) == (known[0], known[-1])


def test_a_network_outside_the_zoo_has_no_known_layers():
    assert known_layers("mine") is None
