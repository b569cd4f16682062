"""The plain form of a network: its convolutions, batch norms and ReLUs in a line, up to global average pooling.

Source: Lin et al., Zen-NAS, ICCV 2021, section 3.2: while a network's expressivity is measured, its residual links and
its self-attention (squeeze-excite there) are removed, and its activations are ReLUs.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from system.errors import UserError

if TYPE_CHECKING:
    from torch import nn

# Each kind of module that holds others in the order in which they run, and which of its children lie beside that line
# or behind it: shortcuts, gates, the head. The first four are of models/zennet.py, the others of torch and timm.
_BESIDE: dict[str, frozenset[str]] = {
    "ZenNet": frozenset({"fc_linear"}),
    "Chain": frozenset(),
    "Residual": frozenset({"proj"}),
    "Layer": frozenset(),
    "ModuleList": frozenset(),
    "Sequential": frozenset(),
    "ResNet": frozenset({"global_pool", "fc"}),
    "BasicBlock": frozenset({"se", "downsample", "drop_path"}),
    "Bottleneck": frozenset({"se", "downsample", "drop_path"}),
    "EfficientNet": frozenset({"global_pool", "classifier"}),
    "ConvBnAct": frozenset({"drop_path"}),
    "DepthwiseSeparableConv": frozenset({"se", "drop_path"}),
    "EdgeResidual": frozenset({"se", "drop_path"}),
    "InvertedResidual": frozenset({"se", "drop_path"}),
}
_GATES = frozenset({"SqueezeExcite"})


def plain_form(network: "nn.Module") -> "nn.Sequential":
    """The plain form of a ZenNet, or of a ResNet or an EfficientNet of timm: images to the last map before pooling.

    Its convolutions and poolings are those of `network`, which stays as it is; norms and ReLUs are new.
    Raises UserError for any other network: what of it is a residual link can't be told from its modules.
    """
    from torch import nn

    return nn.Sequential(*_in_line(network))


def _in_line(module: "nn.Module") -> "Iterator[nn.Module]":
    from torch import nn

    kind = type(module).__name__
    if isinstance(module, nn.Conv2d | nn.MaxPool2d):
        yield module
    elif isinstance(module, nn.BatchNorm2d):
        yield nn.BatchNorm2d(module.num_features, eps=module.eps, device="meta", track_running_stats=False)
        if not isinstance(getattr(module, "act", None), nn.Identity | None):  # timm's norms hold their activation
            yield nn.ReLU()
    elif isinstance(module, nn.ReLU | nn.SiLU | nn.Hardswish | nn.ReLU6):
        yield nn.ReLU()
    elif kind in _BESIDE:
        for name, child in module.named_children():
            if name not in _BESIDE[kind]:
                yield from _in_line(child)
    elif not isinstance(module, nn.Identity) and kind not in _GATES:
        raise UserError(
            "the Zen-Score is defined for networks of one branch once their residual links are removed",
            found=f"a {kind}, whose links can't be told from its modules",
            fix="give a ZenNet structure, or a ResNet or an EfficientNet of timm",
        )
