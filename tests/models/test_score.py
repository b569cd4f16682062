"""The Zen-Score against a direct computation, the paper's theorem, and what the network passed in must keep."""

import itertools
import math
from itertools import islice

import numpy as np
import pytest
import torch
from torch import nn

from models import UserError, find
from models.plain import plain_form
from models.published import published
from models.score import Setting, record, summary, zen_score, zen_score_of, zen_scores
from models.zoo import zoo

SETTING = Setting(batch=4, alpha=0.01, seed=3)
RESIDUAL = "zennet:SuperConvK3BNRELU(3,8,2,1)SuperResK3K3(8,16,2,12,1)@32"


def scores(source: str, count: int, setting: Setting = SETTING) -> list[float]:
    return list(islice(zen_scores(find(source)[0], setting), count))


def convolved(images: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """A 3x3 convolution with stride 2 and one pixel of zeros around, tap by tap."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    out = 0.0
    for row, column in itertools.product(range(3), repeat=2):
        taps = padded[:, :, row : row + 8 : 2, column : column + 8 : 2]
        out = out + np.einsum("nihw,oi->nohw", taps, kernels[:, :, row, column])
    return out


def test_one_layer_gives_what_numpy_computes_by_the_definition():
    random = torch.Generator().manual_seed(SETTING.seed)
    images = torch.randn((4, 3, 8, 8), generator=random).double().numpy()
    moved = images + 0.01 * torch.randn((4, 3, 8, 8), generator=random).double().numpy()
    kernels = torch.randn((5, 3, 3, 3), generator=random).double().numpy()

    maps = []
    for one in (images, moved):
        convolutions = convolved(one, kernels)
        means, variances = convolutions.mean(axis=(0, 2, 3)), convolutions.var(axis=(0, 2, 3))
        normalised = (convolutions - means[:, None, None]) / np.sqrt(variances[:, None, None] + 1e-3)
        maps.append((np.maximum(normalised, 0), variances))
    (base, variances), (other, _) = maps
    delta = np.sqrt(((base - other) ** 2).sum(axis=(1, 2, 3))).mean()
    expected = math.log(delta) + math.log(math.sqrt(variances.sum() / 5))

    assert scores("zennet:SuperConvK3BNRELU(3,5,2,1)@8", 1) == [pytest.approx(expected, abs=1e-4)]


def test_a_seed_gives_the_same_scores_and_every_repeat_another():
    first = scores(RESIDUAL, 3)
    assert scores(RESIDUAL, 2) == first[:2]
    assert len({*first, *scores(RESIDUAL, 3, Setting(batch=4, seed=4))}) == 6


def drawn(layers: list[nn.Module], seed: int) -> float:
    random = torch.Generator().manual_seed(seed)
    images = torch.randn((16, 3, 32, 32), generator=random)
    moved = images + 0.01 * torch.randn((16, 3, 32, 32), generator=random)
    return zen_score(nn.Sequential(*layers), images, moved, random)


def plain_layers(channels: tuple[int, ...], norms: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for inner, outer in itertools.pairwise((3, *channels)):
        layers += [nn.Conv2d(inner, outer, 3, padding=1, bias=False), *[nn.BatchNorm2d(outer)] * norms, nn.ReLU()]
    return layers


def test_batch_norms_are_compensated_as_theorem_1_says():
    # Without norms the score is the paper's Phi-score; with them the change of the last map alone says another thing.
    channels, seeds = (24, 32, 32, 24), range(12)
    phi = [drawn(plain_layers(channels, 0), seed) for seed in seeds]
    zen = [drawn(plain_layers(channels, 1), seed) for seed in seeds]
    deviations = [0.5 * math.log(inner * 9 / 2) for inner in channels[:-1]]
    assert np.mean(zen) == pytest.approx(np.mean(phi), abs=0.15)
    assert sum(deviations) > 6
    # A second norm behind each finds a variance of one.
    assert drawn(plain_layers(channels, 2), 0) == pytest.approx(zen[0], abs=0.01)


def test_depth_and_width_raise_the_score_and_more_images_do_not():
    narrow, wide, deep = (
        np.mean([drawn(plain_layers(channels, 1), seed) for seed in range(3)])
        for channels in ((16, 16), (48, 16), (16, 16, 16))
    )
    assert narrow + 0.3 < wide
    assert narrow + 1 < deep
    few, many = (summary(scores(RESIDUAL, 6, Setting(batch=batch)), Setting()) for batch in (16, 64))
    assert few.mean == pytest.approx(many.mean, abs=0.3)


def test_residual_links_and_gates_are_out_of_the_plain_form():
    by_hand = [
        *(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8, eps=1e-3), nn.ReLU()),
        *(nn.Conv2d(8, 12, 3, 2, 1, bias=False), nn.BatchNorm2d(12, eps=1e-3), nn.ReLU()),
        *(nn.Conv2d(12, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16, eps=1e-3), nn.ReLU()),
    ]
    assert drawn(list(plain_form(find(RESIDUAL)[0].architecture())), 5) == drawn(by_hand, 5)
    gated = "SuperConvK3BNRELU(3,8,2,1)SuperResIDWE2K3(8,16,2,16,1)@32"
    assert scores(f"zennet:{gated}", 1) == scores(f"zennet-se:{gated}", 1)


@pytest.mark.parametrize("name", [*published(), "ResNet-50"])
def test_the_plain_form_has_every_convolution_but_those_of_shortcuts_and_gates(name):
    module = zoo()[name].architecture()
    plain = plain_form(module)
    kinds = {type(layer).__name__.removesuffix("Same") for layer in plain}
    assert kinds - {"MaxPool2d"} == {"Conv2d", "BatchNorm2d", "ReLU"}  # a ResNet's stem ends in a pooling
    beside = (".proj.", ".se.", ".downsample.", "netblock.1", "netblock.4")
    named = [key for key, layer in module.named_modules() if isinstance(layer, nn.Conv2d)]
    kept = [module.get_submodule(key) for key in named if not any(part in key for part in beside)]
    assert [layer for layer in plain if isinstance(layer, nn.Conv2d)] == kept


@pytest.mark.parametrize("source", [RESIDUAL, "timm:test_resnet@64", "timm:test_efficientnet@64"])
def test_the_network_passed_in_stays_as_it_is(source):
    module = find(source)[0].build()
    before = {key: tensor.clone() for key, tensor in module.state_dict().items()}
    drawn(list(plain_form(module)), 0)
    assert all(torch.equal(tensor, before[key]) for key, tensor in module.state_dict().items())
    assert not any(layer.training for layer in module.modules())


def test_a_resnet_of_timm_is_its_convolutions_in_a_line():
    plain = plain_form(find("timm:resnet18@64")[0].architecture())
    assert sum(isinstance(layer, nn.Conv2d) for layer in plain) == 17
    assert sum(isinstance(layer, nn.MaxPool2d) for layer in plain) == 1
    assert not any(layer.kernel_size == (1, 1) for layer in plain if isinstance(layer, nn.Conv2d))


@pytest.mark.parametrize(
    ("source", "kind"), [("timm:test_vit@160", "VisionTransformer"), ("timm:densenet121@64", "Den")]
)
def test_a_network_whose_links_cannot_be_told_is_one_error(source, kind):
    with pytest.raises(UserError, match=f"found: a {kind}|a {kind}.*can't be told"):
        scores(source, 1)


def test_an_input_that_does_not_change_is_one_error():
    with pytest.raises(UserError, match=r"doesn't change.*--alpha"):
        scores(RESIDUAL, 1, Setting(alpha=1e-30))


def test_mean_and_standard_error():
    score = summary([1.0, 2.0, 4.0, 5.0], Setting(batch=8, alpha=0.1, seed=7))
    assert (score.mean, score.repeats, score.batch, score.alpha, score.seed) == (3.0, 4, 8, 0.1, 7)
    assert score.standard_error == pytest.approx(math.sqrt((4 + 1 + 1 + 4) / 3) / 2)
    assert str(score) == "3.0 ± 0.9"
    assert str(summary([3.0], Setting())) == "3.0"


def test_a_recorded_score_is_read_back(monkeypatch, tmp_path):
    monkeypatch.setattr("models.score._FILE", tmp_path / "zen_scores.csv")
    zen_score_of.__globals__["_recorded"].cache_clear()
    first, second, *_ = zoo().values()
    record(second, summary([1.5], Setting()))
    record(first, summary([1.0, 2.0], SETTING))
    record(second, summary([2.5], Setting()))
    assert zen_score_of(second) == summary([2.5], Setting())
    assert zen_score_of(first).standard_error == pytest.approx(0.5)
    assert zen_score_of(find(RESIDUAL)[0]) is None
    names = [line.split(",")[0] for line in (tmp_path / "zen_scores.csv").read_text().splitlines()]
    assert names == ["model", first.name, second.name]
    monkeypatch.undo()
    zen_score_of.__globals__["_recorded"].cache_clear()
