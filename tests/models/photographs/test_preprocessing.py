"""Preprocessing against what the official evaluations compute, by torchvision's and timm's own transforms."""

import math

import numpy as np
import pytest
import timm
import timm.data
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision import transforms

import models.photographs.preprocessing as module
from models import UserError, find
from models.images import IMAGENET_MEAN, IMAGENET_STD
from models.photographs.preprocessing import Preprocessing, preprocess, preprocessing_of

ZENNETS = {"zennet_imagenet1k_flops400M_SE_res224": 320, "zennet_imagenet1k_latency12ms_res224": 380}
# The last one squashes its images.
TIMM = ("tf_efficientnet_b3", "tf_efficientnet_b5", "tf_efficientnet_b6", "tf_efficientnet_lite0", "resnet18")
SQUASHING = "efficientnet_b5.sw_in12k_ft_in1k"


def noise(width, height):
    """An image of single pixels and of large shapes."""
    random = np.random.default_rng(width * 10_000 + height)
    coarse = Image.fromarray(random.integers(0, 256, (5, 7, 3), dtype=np.uint8)).resize((width, height))
    fine = random.integers(-60, 60, (height, width, 3))
    return Image.fromarray(np.clip(np.asarray(coarse, dtype=int) + fine, 0, 255).astype(np.uint8))


def by_torchvision(image, crop_px):
    """The ZenNets' evaluation: the crop is normalised, and then resized to what the network sees."""
    transform = transforms.Compose(
        [
            transforms.Resize(math.ceil(crop_px / 0.875), interpolation=transforms.InterpolationMode.BICUBIC),
            transforms.CenterCrop(crop_px),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]
    )
    return torch.nn.functional.interpolate(transform(image)[None], (224, 224), mode="bilinear")[0].numpy()


def by_timm(image, name, px):
    configuration = timm.data.resolve_data_config({"img_size": px}, timm.get_pretrained_cfg(name).to_dict())
    return timm.data.create_transform(**configuration)(image).numpy()


sizes = st.one_of(
    st.tuples(st.integers(1, 700), st.integers(1, 700)).filter(lambda size: max(size) < 12 * min(size)),
    st.sampled_from(
        [(500, 375), (375, 500), (366, 366), (256, 256), (224, 224), (331, 331), (1, 1), (2, 3), (4000, 333)]
    ),
)


@settings(max_examples=40)
@given(sizes, st.sampled_from(list(ZENNETS)))
def test_zennets_see_what_torchvision_prepares(size, name):
    image = noise(*size)
    found = preprocess(image, preprocessing_of(find(name)[0]))
    assert (found.shape, found.dtype, found.flags.c_contiguous) == ((3, 224, 224), np.float32, True)
    assert np.abs(found - by_torchvision(image, ZENNETS[name])).max() <= 1e-6


@settings(max_examples=40)
@given(sizes, st.sampled_from([*TIMM, SQUASHING]))
def test_timms_networks_see_what_timm_prepares_to_the_last_bit(size, name):
    px = timm.get_pretrained_cfg(name).input_size[-1]
    image = noise(*size)
    found = preprocess(image, preprocessing_of(find(f"timm:{name}@{px}")[0]))
    assert (found.dtype, found.flags.c_contiguous) == (np.float32, True)
    assert np.array_equal(found, by_timm(image, name, px))


@pytest.mark.parametrize("px", [64, 225, 320])
def test_at_another_resolution_timms_share_of_the_short_side_is_kept(px):
    image = noise(500, 375)
    found = preprocess(image, preprocessing_of(find(f"timm:resnet18@{px}")[0]))
    assert np.array_equal(found, by_timm(image, "resnet18", px))


@pytest.mark.parametrize(
    ("model", "px"), [("EfficientNet-B3", 300), ("EfficientNet-B5", 456), ("EfficientNet-B6", 528)]
)
def test_the_baselines_are_prepared_as_their_published_weights_were_evaluated(model, px):
    """timm's default weights are others than the published ones, which have the tag aa_in1k."""
    image, found = noise(500, 375), preprocessing_of(find(model)[0])
    assert found.resolution_px == px
    name = f"tf_efficientnet_{model[-2:].lower()}.aa_in1k"
    assert np.array_equal(preprocess(image, found), by_timm(image, name, px))


def test_the_official_crops():
    how = [
        preprocessing_of(find(name)[0])
        for name in (*ZENNETS, "zennet_imagenet1k_latency01ms_res224", "timm:resnet18@224")
    ]
    assert [(each.short_px, each.crop_px, each.resolution_px) for each in how] == [
        (366, 320, 224),
        (435, 380, 224),
        (366, 320, 224),
        (235, 224, 224),
    ]
    lite0 = preprocessing_of(find("timm:tf_efficientnet_lite0")[0])
    assert (lite0.mean, lite0.std) == ((0.5,) * 3, (0.5,) * 3)


@pytest.mark.parametrize("size", [(1, 40), (40, 1), (3, 500), (1000, 2)])
def test_a_sliver_is_cropped_without_its_resized_image_in_memory(size, monkeypatch):
    """Pillow then resizes height and width in another order, and clips in between: some pixels are some levels off."""
    image, how = noise(*size), Preprocessing(short_px=36, crop_px=32, resolution_px=32)
    whole = preprocess(image, how)
    monkeypatch.setattr(module, "_MOST_RESIZED_PX", 0)
    levels = np.abs(preprocess(image, how) - whole) * min(IMAGENET_STD) * 255
    assert levels.mean() < 0.5
    assert levels.max() < 16


@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (1, 65_000)])
def test_the_longest_slivers_are_prepared(size):
    image = Image.new("RGB", size, (255, 255, 255))
    found = preprocess(image, Preprocessing(short_px=366, crop_px=320, resolution_px=224))
    white = (1 - np.array(IMAGENET_MEAN)) / np.array(IMAGENET_STD)
    assert np.allclose(found, white[:, None, None], atol=1e-6)


def test_what_is_neither_crop_nor_squash_is_refused(monkeypatch):
    bordered = timm.models.PretrainedCfg(crop_mode="border")
    monkeypatch.setattr(timm, "get_pretrained_cfg", lambda name: bordered)
    with pytest.raises(UserError, match="no preprocessing for timm's resnet18: crop mode 'border'"):
        preprocessing_of(find("timm:resnet18@224")[0])
    monkeypatch.setattr(timm, "get_pretrained_cfg", lambda name: None)
    assert preprocessing_of(find("timm:resnet18@224")[0]) == Preprocessing(short_px=256, crop_px=224, resolution_px=224)
