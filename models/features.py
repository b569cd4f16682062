"""Networks as backbones: the last feature map of each stride, described by timm's `feature_info`."""

from collections.abc import Sequence
from typing import Any

from timm.models import FeatureInfo
from torch import Tensor, nn

from models.model import Model
from models.structure import SuperBlock, parse_structure
from models.timm_networks import timm_network
from system.errors import UserError, one_line


def backbone(model: Model, classifier: nn.Module, out_indices: Sequence[int] | None = None) -> nn.Module:
    """A network as a backbone that shares the tensors of its `classifier`, on any device, the meta device too.

    Images (N, 3, H, W) to a list of maps, one for each of `out_indices` (timm's own choice, or all, unless given);
    `feature_info` says the channels, the stride and the module of each. Raises UserError where there are no such maps.
    """
    if model.kind == "timm":
        return _timm_features(model, classifier, out_indices)
    if not model.kind.startswith("zennet"):
        fix = "name it by timm or zennet for that"
        raise UserError(f"no feature maps of {model.name}", found=f"a network by {model.kind}", fix=fix)
    return ZenNetFeatures(classifier, parse_structure(model.spec), out_indices).eval()


class ZenNetFeatures(nn.Module):
    """The super-blocks of a ZenNet; images (N, 3, H, W) to a list of maps, the last one of each stride asked for.

    The blocks are the classifier's own, under the same state-dict keys; what lies behind the last map is left out.
    """

    def __init__(self, classifier: nn.Module, blocks: Sequence[SuperBlock], out_indices: Sequence[int] | None) -> None:
        super().__init__()
        described = _last_of_each_stride(blocks)
        self.feature_info = FeatureInfo(described, _within(out_indices, len(described)))
        self._taken = [described[index]["block"] for index in self.feature_info.out_indices]
        children = list(classifier.get_submodule("module_list").children())
        self.module_list = nn.ModuleList(children[: max(self._taken) + 1])

    def forward(self, images: Tensor) -> list[Tensor]:
        features, maps = images, dict[int, Tensor]()
        for number, block in enumerate(self.module_list):
            features = block(features)
            if number in self._taken:
                maps[number] = features
        return [maps[number] for number in self._taken]


def _last_of_each_stride(blocks: Sequence[SuperBlock]) -> list[dict[str, Any]]:
    """timm's description of the maps that the next super-block, or nothing, halves."""
    described, reduction = list[dict[str, Any]](), 1
    for number, block in enumerate(blocks):
        reduction *= block.stride
        if number + 1 == len(blocks) or blocks[number + 1].stride > 1:
            described.append(
                {
                    "num_chs": block.out_channels,
                    "reduction": reduction,
                    "module": f"module_list.{number}",
                    "block": number,
                }
            )
    return described


def _within(out_indices: Sequence[int] | None, maps: int) -> tuple[int, ...]:
    """The indices counted from the front, in the order given; all where none are given."""
    wanted = tuple(range(maps)) if out_indices is None else tuple(out_indices)
    if not wanted or not all(-maps <= index < maps for index in wanted):
        raise UserError("out_indices name no map", found=str(wanted), fix=f"expected some of 0 to {maps - 1}")
    return tuple(index % maps for index in wanted)


def _timm_features(model: Model, classifier: nn.Module, out_indices: Sequence[int] | None) -> nn.Module:
    """timm's own backbone of a network, with the classifier's weights."""
    asked = None if out_indices is None else tuple(out_indices)
    try:
        with next(classifier.parameters()).device:
            features = timm_network(model.spec, model.resolution_px, features_only=True, out_indices=asked)
    except Exception as error:  # of all kinds: what a network of timm can't do as a backbone has no error of its own
        found, fix = one_line(f"{type(error).__name__}: {error}", 160), "give other out_indices or another network"
        raise UserError(f"timm has no such feature maps of {model.spec}", found=found, fix=fix) from error
    own = classifier.state_dict()
    # A backbone of timm keeps the classifier's keys, or puts them under `model.`, or lifts its stages one level up.
    keys = {spelling: key for key in own for spelling in (key.replace(".", "_", 1), f"model.{key}", key)}
    features.load_state_dict({key: own[keys[key]] for key in features.state_dict()}, assign=True)
    return features.eval().requires_grad_(False)
