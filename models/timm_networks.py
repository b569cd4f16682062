"""Networks of timm as they are used: of one resolution, their parallel branches merged."""

from typing import TYPE_CHECKING, Any

from models.images import synthetic_images
from system.errors import UserError

if TYPE_CHECKING:
    from torch import nn

# What timm's blocks that are trained with parallel branches, or with norms of their own, call the merging of these.
_MERGING = ("fuse", "reparameterize", "switch_to_deploy")
_LIMIT = 1e-4  # of the change of a logit over the largest one, as for an export in FP32


def timm_configuration(name: str) -> Any:
    """timm's configuration of the weights that NAME or NAME.TAG stands for: `PretrainedCfg`, None where it has none.

    Without a tag these are timm's default weights: of EfficientNet-B3, weights of 84.1 %, which saw 300 million other
    images, where the zoo's are those of the published 81.1 %. Raises UserError where a network of timm has no such tag.
    """
    import timm

    try:
        return timm.get_pretrained_cfg(name)
    except RuntimeError as error:
        near = timm.list_models(f"{name.partition('.')[0]}.*", pretrained=True)[:3]
        fix = f"did you mean {' or '.join(near)}?" if near else "leave what is behind its dot out"
        raise UserError("timm has no such weights", found=repr(name), fix=fix) from error


def timm_network(name: str, resolution_px: int, **options: Any) -> "nn.Module":
    """A network of timm with untrained weights, in train mode; `options` are timm.create_model's.

    Raises UserError where timm has no network of that name, or no weights of its tag.
    """
    import timm

    if not timm.is_model(name):
        near = timm.list_models(f"*{name}*")[:3]
        fix = f"did you mean {' or '.join(near)}?" if near else "timm.list_models() names them"
        raise UserError("timm has no such network", found=repr(name), fix=fix)
    # A transformer holds a position for each patch: its resolution is part of the network.
    sized = getattr(timm_configuration(name), "fixed_input_size", False)
    size = {"img_size": resolution_px} if sized else {}
    # pretrained=False: the zoo is offline, and latency does not depend on what the weights learned.
    module: nn.Module = timm.create_model(name, pretrained=False, **size, **options)
    if getattr(module, "dynamic_img_size", False):
        # While they are exported such networks resize their positions in the graph, to the size that they have: work
        # that a network of one resolution doesn't do, which LiteRT's converter can't take.
        module = timm.create_model(name, pretrained=False, **size, **options, dynamic_img_size=False)
    return module


def has_branches(module: "nn.Module") -> bool:
    """Whether a network of timm has blocks that are merged for use, as those of FastViT, RepViT and RepVGG are."""
    return any(hasattr(child, name) for child in module.modules() for name in _MERGING)


def merge(module: "nn.Module") -> "nn.Module":
    """A network in eval mode with each such block as the one convolution that it is used as; on the CPU.

    The state dict has other keys then; `module` is left as it is.
    """
    from timm.utils import reparameterize_model

    network: nn.Module = reparameterize_model(module).eval().requires_grad_(False)
    return network


def merged(module: "nn.Module", resolution_px: int) -> "nn.Module":
    """The network that `merge` gives, once it has the weights that it keeps: some networks of timm cache what they make
    of them. Raises UserError where the logits change.
    """
    import torch

    network = merge(module)
    image = torch.from_numpy(synthetic_images(1, resolution_px, seed=1))
    with torch.inference_mode():
        before, after = module(image), network(image)
    if not (change := float((after - before).abs().max() / before.abs().max())) <= _LIMIT:
        found = f"logits that differ by {change:.1g} of the largest"
        raise UserError("timm's merging of branches changes this network", found=found, fix="choose another network")
    return network
