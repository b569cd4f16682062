"""ZenNets as torch modules, with the state-dict keys of the published checkpoints."""

from torch import Tensor, nn

from models.structure import SuperBlock, parse_structure

_BN_EPS = 1e-3
_CLASSES = 1000


def zennet(structure: str, *, squeeze_excite: bool) -> nn.Module:
    """The classifier that a structure string describes: images (N, 3, H, W) to logits (N, 1000).

    Squeeze-excite applies to the depthwise super-blocks only. Raises UserError for an unreadable string.
    """
    return ZenNet(parse_structure(structure), squeeze_excite)


class ZenNet(nn.Module):
    """Super-blocks, global average pooling and one linear layer."""

    def __init__(self, blocks: list[SuperBlock], squeeze_excite: bool) -> None:
        super().__init__()
        self.module_list = nn.ModuleList(_super_block(block, squeeze_excite) for block in blocks)
        self.fc_linear = Layer(nn.Linear(blocks[-1].out_channels, _CLASSES))

    def forward(self, images: Tensor) -> Tensor:
        features = images
        for block in self.module_list:
            features = block(features)
        logits: Tensor = self.fc_linear(features.mean(dim=(2, 3)))
        return logits


class Layer(nn.Module):
    """One torch module under the key `netblock`, where the published checkpoints keep it."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.netblock = module

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.netblock(features)
        return out


class Chain(nn.Module):
    """Modules one after the other, under the key `module_list`."""

    def __init__(self, modules: list[nn.Module]) -> None:
        super().__init__()
        self.module_list = nn.ModuleList(modules)

    def forward(self, features: Tensor) -> Tensor:
        for module in self.module_list:
            features = module(features)
        return features


class Residual(Chain):
    """A chain plus its shortcut: a projection where `project` is true or the channels change, else the identity."""

    def __init__(self, modules: list[nn.Module], in_channels: int, out_channels: int, stride: int, project: bool):
        super().__init__(modules)
        self.proj: nn.Module = nn.Identity()
        if project or in_channels != out_channels:
            self.proj = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=True),
                nn.BatchNorm2d(out_channels, eps=_BN_EPS),
            )

    def forward(self, features: Tensor) -> Tensor:
        shortcut: Tensor = self.proj(features)
        return super().forward(features) + shortcut


class SqueezeExcite(nn.Module):
    """Channels scaled by a gate that global average pooling feeds."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = max(1, round(channels / 4))
        self.netblock = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, squeezed, 1, bias=False),
            nn.BatchNorm2d(squeezed, eps=_BN_EPS),
            nn.ReLU(),
            nn.Conv2d(squeezed, channels, 1, bias=False),
            nn.BatchNorm2d(channels, eps=_BN_EPS),
            nn.Sigmoid(),
        )

    def forward(self, features: Tensor) -> Tensor:
        gate: Tensor = self.netblock(features)
        return features * gate


def _conv_bn(
    in_channels: int, out_channels: int, kernel_px: int = 1, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    padding_px = (kernel_px - 1) // 2
    conv = nn.Conv2d(in_channels, out_channels, kernel_px, stride, padding_px, groups=groups, bias=False)
    return [Layer(conv), Layer(nn.BatchNorm2d(out_channels, eps=_BN_EPS))]


def _super_block(block: SuperBlock, squeeze_excite: bool) -> nn.Module:
    children: list[nn.Module] = []
    for layer in range(block.layers):
        first = layer == 0
        channels = block.in_channels if first else block.out_channels
        stride = block.stride if first else 1
        if block.kind == "conv":
            children += [*_conv_bn(channels, block.out_channels, block.kernel_px, stride), nn.ReLU()]
        elif block.kind == "res_kk":
            children += _res_kk(block, channels, stride, first)
        elif block.kind == "res_1k1":
            children += _res_1k1(block, channels, stride, first)
            children += _res_1k1(block, block.out_channels, 1, False)
        else:
            children += _res_idw(block, channels, block.bottleneck_channels, stride, first, squeeze_excite)
            children += _res_idw(block, block.bottleneck_channels, block.out_channels, 1, False, squeeze_excite)
    return Chain(children)


def _res_kk(block: SuperBlock, channels: int, stride: int, project: bool) -> list[nn.Module]:
    inner, out, kernel_px = block.bottleneck_channels, block.out_channels, block.kernel_px
    body = [*_conv_bn(channels, inner, kernel_px, stride), nn.ReLU(), *_conv_bn(inner, out, kernel_px)]
    return [Residual(body, channels, out, stride, project), nn.ReLU()]


def _res_1k1(block: SuperBlock, channels: int, stride: int, project: bool) -> list[nn.Module]:
    inner, out = block.bottleneck_channels, block.out_channels
    body = [
        *_conv_bn(channels, inner),
        nn.ReLU(),
        *_conv_bn(inner, inner, block.kernel_px, stride),
        nn.ReLU(),
        *_conv_bn(inner, out),
    ]
    return [Residual(body, channels, out, stride, project), nn.ReLU()]


def _res_idw(
    block: SuperBlock, channels: int, out: int, stride: int, project: bool, squeeze_excite: bool
) -> list[nn.Module]:
    # The first unit expands its OUTPUT (the bottleneck), the second too (the block's output): both are `out` here.
    inner = _round_to_8(out * block.expansion)
    body = [
        *_conv_bn(channels, inner),
        nn.ReLU(),
        *_conv_bn(inner, inner, block.kernel_px, stride, groups=inner),
        nn.ReLU(),
        *([SqueezeExcite(inner)] if squeeze_excite else []),
        *_conv_bn(inner, out),
    ]
    return [Residual(body, channels, out, stride, project), nn.ReLU()]


def _round_to_8(channels: int) -> int:
    return max(8, round(channels / 8) * 8)
