"""The networks that the ZenNets are compared with: names, groups, weights and accuracies."""

import pytest

from models import UserError, find
from models.baselines import baselines
from models.groups import DEFAULT
from models.published import published
from models.zoo import zoo

BASELINES = [each.model for each in baselines()]


def names(pattern: str) -> list[str]:
    return [model.name for model in find(pattern)]


def families(pattern: str) -> set[str]:
    return {model.family for model in find(pattern)}


def test_each_is_in_a_group_and_has_an_accuracy():
    assert all(each.groups and each.groups <= {"figure", "today", "mobile"} for each in baselines())
    assert all(50 < model.top1_percent < 90 for model in BASELINES)
    assert len({model.source for model in BASELINES}) == len(BASELINES)


def test_groups_hold_the_families_of_their_purpose():
    assert names(DEFAULT) == list(published())
    shared = {"ZenNet", "RegNet", "ResNet", "EfficientNet", "DenseNet", "ResNeSt", "MobileNet", "MnasNet"}
    assert families("@figure") == shared
    assert families("@today") == {"ConvNeXt", "EfficientNetV2", "MobileNetV4", "FastViT", "RepViT"}
    assert {"ZenNet", "MobileNet", "MobileNetV4", "EfficientNet"} <= families("@mobile")
    assert not any("latency" in name for name in names("@mobile"))
    assert set(names("@figure")) | set(names("@today")) | set(names("@mobile")) == set(zoo())


def test_a_group_keeps_the_zoo_s_order_and_an_unknown_one_names_the_others():
    assert names("@figure") == [name for name in zoo() if name in names("@figure")]
    with pytest.raises(UserError, match="did you mean @figure"):
        find("@figur")


def test_a_published_network_keeps_its_published_accuracy_and_resolution():
    (b3,) = find("EfficientNet-B3")
    assert (b3.top1_percent, b3.resolution_px, b3.stated_percent) == (81.1, 300, None)
    sizes = [224, 240, 260, 300, 380, 456, 528, 600]
    assert [zoo()[f"EfficientNet-B{number}"].resolution_px for number in range(8)] == sizes


def test_an_accuracy_is_of_the_resolution_that_it_was_evaluated_at():
    (model,) = find("ResNet-50@160")
    assert (model.resolution_px, model.top1_percent, model.source) == (160, None, zoo()["ResNet-50"].source)


@pytest.mark.parametrize("model", BASELINES, ids=lambda model: model.name)
def test_the_weights_are_released_and_evaluated_by_timm_at_this_resolution(model):
    import timm

    configuration = timm.get_pretrained_cfg(model.source.removeprefix("timm:"))
    assert configuration.num_classes == 1000
    assert configuration.has_weights
    sizes = {configuration.input_size[-1], (configuration.test_input_size or configuration.input_size)[-1]}
    assert model.resolution_px in sizes
    assert configuration.tag == model.source.partition(".")[2]
    assert "in1k" in configuration.tag
    assert not any(other in configuration.tag for other in ("in12k", "in21k", "in22k", "jft"))
