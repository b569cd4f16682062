"""`Model`: a network by its source, built on demand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.published import Published, published
from system.errors import UserError, one_line

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Model:
    """A network: `source` is `zennet:STRUCTURE`, `zennet-se:STRUCTURE` (squeeze-excite) or `timm:NAME`."""

    name: str
    family: str
    resolution_px: int
    source: str

    def at_resolution(self, resolution_px: int) -> "Model":
        """The same network for images of another size; itself where it is of that size."""
        if resolution_px == self.resolution_px:
            return self
        return replace(self, name=f"{self.name}@{resolution_px}", resolution_px=resolution_px)

    @property
    def published(self) -> Published | None:
        """The printed row of this network, where there is one."""
        return published().get(self.name)

    @property
    def top1_percent(self) -> float | None:
        """The published ImageNet accuracy; `bench --accuracy` measures that of a file."""
        return self.published.top1_percent if self.published else None

    def architecture(self, device: str = "meta") -> "nn.Module":
        """The network in eval mode, on the meta device: shapes without weights.

        Raises UserError where the source can't be read.
        """
        import torch

        kind, _, spec = self.source.partition(":")
        with torch.device(device):
            if kind == "timm":
                module = timm_network(spec, self.resolution_px)
            else:
                module = _zennet(spec, squeeze_excite=kind == "zennet-se")
        return module.eval().requires_grad_(False)

    def run_on_meta(self, module: "nn.Module") -> None:
        """Run an image through `module` on the meta device: shapes only, nothing is computed.

        Raises UserError where it takes no images of this resolution.
        """
        import torch

        try:
            with torch.inference_mode():
                module(torch.empty(1, 3, self.resolution_px, self.resolution_px, device="meta"))
        except (AssertionError, RuntimeError, ValueError) as error:
            what = f"{self.name} takes no images of {self.resolution_px} px"
            raise UserError(what, found=one_line(error, 160), fix="give another resolution behind its @") from error

    def build(
        self,
        weights: Path | str | None = None,
        *,
        features_only: bool = False,
        out_indices: Sequence[int] | None = None,
    ) -> "nn.Module":
        """The network in eval mode on the CPU, FP32, with seeded weights or those of the checkpoint at `weights`.

        `features_only` gives the backbone: a list of feature maps, by stride, with timm's `feature_info`, of which
        `out_indices` chooses. No parameter asks for a gradient: call `.train().requires_grad_(True)` to fine-tune.
        Raises UserError where the checkpoint can't be read or belongs to another network.
        """
        from models.weights import load_checkpoint, load_seeded

        # Some networks of timm have buffers that are in no state dict: on the meta device these would keep no values.
        module = self.architecture("cpu" if self.source.startswith("timm:") else "meta")
        if weights is None:
            load_seeded(module, self.resolution_px)
        else:
            load_checkpoint(module, Path(weights))
        if features_only:
            from models.features import backbone

            return backbone(self, module, out_indices)
        return module


def _zennet(structure: str, *, squeeze_excite: bool) -> "nn.Module":
    from models.zennet import zennet

    return zennet(structure, squeeze_excite=squeeze_excite)


def timm_network(name: str, resolution_px: int, **options: Any) -> "nn.Module":
    """A network of timm with untrained weights, in train mode; `options` are timm.create_model's.

    Raises UserError where timm has no network of that name.
    """
    import timm

    if not timm.is_model(name):
        near = timm.list_models(f"*{name}*")[:3]
        fix = f"did you mean {' or '.join(near)}?" if near else "timm.list_models() names them"
        raise UserError("timm has no such network", found=repr(name), fix=fix)
    # A transformer holds a position for each patch: its resolution is part of the network.
    sized = getattr(timm.get_pretrained_cfg(name), "fixed_input_size", False)
    size = {"img_size": resolution_px} if sized else {}
    # pretrained=False: the zoo is offline, and latency does not depend on what the weights learned.
    module: nn.Module = timm.create_model(name, pretrained=False, **size, **options)
    if getattr(module, "dynamic_img_size", False):
        # While they are exported such networks resize their positions in the graph, to the size that they have: work
        # that a network of one resolution doesn't do, which LiteRT's converter can't take.
        module = timm.create_model(name, pretrained=False, **size, **options, dynamic_img_size=False)
    return module
